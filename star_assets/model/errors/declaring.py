"""The errors of declarations and settings: BadDeclaration and BadSetting."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent


@dataclass(eq=False)
class BadDeclaration(Permanent):
    """A Source, Dimension, Fact or Star contradicts itself."""

    name: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}. {self.remedy}."


@dataclass(eq=False)
class BadSetting(Permanent):
    """A STAR_… variable cannot be used."""

    variable: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.variable}={self.found!r}: expected {self.expected}."
