"""What is declared or set wrongly."""

from __future__ import annotations

from star_assets.model.errors.tree import Permanent


class BadDeclaration(Permanent):
    """A Source, Dimension, Fact or Star contradicts itself."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        super().__init__(name, problem, remedy)

    def __str__(self) -> str:
        name, problem, remedy = self.args
        return f"{name}: {problem}. {remedy}."


class BadSetting(Permanent):
    """A STAR_… variable cannot be used."""

    def __init__(self, variable: str, found: str, expected: str) -> None:
        super().__init__(variable, found, expected)

    def __str__(self) -> str:
        variable, found, expected = self.args
        return f"{variable}={found!r}: expected {expected}."
