"""A project that is written again keeps what people added to it, and tells what it takes away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from star_assets.model import Star
from star_assets.model.errors import BadDeclaration, UnreadableProject
from star_assets.reports.powerbi.keeping import bring_up_to_date
from star_assets.reports.powerbi.project import project_files
from star_assets.settings import Settings
from star_assets.star import (
    dim_customer,
    dim_product,
    dim_store,
    dim_time,
    fact_sales,
    retail,
    sales_from_tills,
    store_managers,
)

from .conftest import MODEL, REPORT, Files
from .tmdl_reader import read_model

SALES, PAGES = f"{MODEL}/tables/Sales.tmdl", f"{REPORT}/pages/pages.json"

MINE = "\n".join(
    [
        "\t/// What one order brings.",
        "\tmeasure 'Mine = ours' =",
        "\t\t\tVAR Orders = DISTINCTCOUNT('Sales'[Order ID])",
        "\t\t\tRETURN",
        "\t\t\t    DIVIDE([Revenue], Orders)",
        "\t\tformatString: #,0.00",
        "\t\tlineageTag: 7b1f9a52-3a0e-4a55-9f0c-2f5a5c0f3a11",
        "\n",
    ]
)

SETTINGS = Settings(model="star_assets.star:retail")


@pytest.fixture
def folder(tmp_path: Path, retail_project: Files) -> Path:
    """A folder that the retailer's project is in."""
    assert bring_up_to_date(tmp_path, retail_project) == []
    return tmp_path


def with_mine(text: str) -> str:
    """A table's file with one more measure, where Desktop puts it."""
    before, partition, after = text.partition("\tpartition ")
    return before + MINE + partition + after


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def star(**given: object) -> Star:
    """The retailer's star, but for what is given."""
    parts: dict[str, object] = {
        "sources": list(retail.sources.values()),
        "dimensions": [dim_product, dim_store, dim_customer, dim_time],
        "facts": [fact_sales],
        "provisional": [sales_from_tills],
        "dashboards": [store_managers],
        "currency": "USD",
    }
    return Star(**{**parts, **given})  # type: ignore[arg-type]


def test_writing_again_changes_no_byte(folder: Path, retail_project: Files) -> None:
    before, touched = files_in(folder), {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert before == {path: text.encode() for path, text in retail_project.items()}
    assert bring_up_to_date(folder, project_files(star(), SETTINGS)) == []
    assert files_in(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == touched


def test_a_measure_that_somebody_added_stays(folder: Path, retail_project: Files) -> None:
    file = folder / SALES
    file.write_text(with_mine(file.read_text()))
    before = files_in(folder)
    assert bring_up_to_date(folder, retail_project) == []
    assert files_in(folder) == before


def test_it_stays_where_its_table_is_called_otherwise(folder: Path) -> None:
    file = folder / SALES
    file.write_text(with_mine(file.read_text()))
    told = bring_up_to_date(folder, project_files(star(facts=[replace(fact_sales, label="Turnover")]), SETTINGS))
    assert not file.exists()
    assert MINE in (folder / MODEL / "tables" / "Turnover.tmdl").read_text()
    assert any("measure Revenue was not as generated" in sentence for sentence in told)


def test_it_is_told_where_its_table_is_gone(folder: Path) -> None:
    file = folder / MODEL / "tables" / "Customer.tmdl"
    file.write_text(with_mine(file.read_text()))
    references = {column: to for column, to in fact_sales.references.items() if to is not dim_customer}
    smaller = star(dimensions=[dim_product, dim_store, dim_time], facts=[replace(fact_sales, references=references)])
    told = bring_up_to_date(folder, project_files(smaller, SETTINGS))
    assert not file.exists()
    assert [sentence for sentence in told if "Customer.tmdl" in sentence] == [
        f"{MODEL}/tables/Customer.tmdl is removed: the star has it no more, "
        "and with it what somebody added: measure 'Mine = ours'."
    ]
    assert "Customer" not in (folder / MODEL / "model.tmdl").read_text().partition("ref table")[2]


def test_objects_that_somebody_added_stay(folder: Path, retail_project: Files) -> None:
    (folder / MODEL / "tables" / "Targets.tmdl").write_text(
        "table Targets\n\tlineageTag: 7b1f9a52-3a0e-4a55-9f0c-2f5a5c0f3a12\n\n"
    )
    (folder / MODEL / "roles" / "Board.tmdl").write_text("role Board\n\tmodelPermission: read\n\n")
    (folder / MODEL / "cultures" / "de-DE.tmdl").write_text("cultureInfo de-DE\n\n")
    added = (
        "relationship 7b1f9a52-3a0e-4a55-9f0c-2f5a5c0f3a13\n\tfromColumn: Targets.Store\n\ttoColumn: Store.Store\n\n"
    )
    listed = "ref table Targets\nref role Board\nref cultureInfo de-DE\n"
    for name, text in {"model.tmdl": listed, "relationships.tmdl": added}.items():
        with (folder / MODEL / name).open("a") as file:
            file.write(text)
    before = files_in(folder)
    assert bring_up_to_date(folder, retail_project) == []
    assert files_in(folder) == before


def test_what_somebody_changed_is_replaced_and_told(folder: Path, retail_project: Files) -> None:
    file = folder / SALES
    file.write_text(file.read_text().replace("measure Revenue = SUM", "measure Revenue = 2 * SUM"))
    assert bring_up_to_date(folder, retail_project) == [
        f"{SALES}: measure Revenue was not as generated, and is replaced."
    ]
    assert files_in(folder) == {path: text.encode() for path, text in retail_project.items()}


def test_what_power_bi_notes_down_is_no_change(folder: Path, retail_project: Files) -> None:
    """Desktop saves with line ends of Windows, notes of its own, and newer schemas."""
    file = folder / SALES
    noted = (
        file.read_text()
        .replace("\n\tpartition Sales", "\n\tannotation PBI_ResultType = Table\n\n\tpartition Sales")
        .replace(
            "\t\tsourceColumn: sale_id\n",
            "\t\tsourceColumn: sale_id\n\n\t\tannotation SummarizationSetBy = Automatic\n",
        )
    )
    file.write_bytes(noted.replace("\n", "\r\n").encode())
    page = folder / REPORT / "pages/star-store_managers-1/page.json"
    page.write_text(json.dumps({**json.loads(page.read_text()), "$schema": "page/2.1.0"}))
    before = files_in(folder)
    assert bring_up_to_date(folder, retail_project) == []
    assert files_in(folder) == before


def test_parameters_and_theme_belong_to_who_opens_the_project(folder: Path, retail_project: Files) -> None:
    """Another database is one change, and it stays."""
    for path, old, new in [
        (f"{MODEL}/expressions.tmdl", '"olap"', '"test_olap"'),
        (f"{REPORT}/report.json", '"themeCollection": {}', '"themeCollection": {"baseTheme": {}}'),
    ]:
        file = folder / path
        file.write_text(file.read_text().replace(old, new))
        assert new in file.read_text()
    before = files_in(folder)
    assert bring_up_to_date(folder, retail_project) == []
    assert files_in(folder) == before


def test_a_page_and_a_visual_that_somebody_added_stay(folder: Path, retail_project: Files) -> None:
    mine = folder / REPORT / "pages" / "0a1b2c3d4e5f"
    visual = folder / REPORT / "pages/star-store_managers-1/visuals/f5e4d3c2b1a0/visual.json"
    for file in (mine / "page.json", visual):
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    order = json.loads((folder / PAGES).read_text())
    order |= {"pageOrder": ["0a1b2c3d4e5f", *order["pageOrder"]], "activePageName": "0a1b2c3d4e5f"}
    (folder / PAGES).write_text(json.dumps(order))
    before = files_in(folder)
    assert bring_up_to_date(folder, retail_project) == []
    assert files_in(folder) == before


def test_a_page_that_the_star_has_no_more_is_removed_and_told(folder: Path) -> None:
    front = replace(store_managers, pages=store_managers.pages[:1])
    told = bring_up_to_date(folder, project_files(star(dashboards=[front]), SETTINGS))
    assert told == [f"{REPORT}/pages/star-store_managers-2 is removed: the star has it no more."]
    assert not (folder / REPORT / "pages/star-store_managers-2").exists()
    assert json.loads((folder / PAGES).read_text())["pageOrder"] == ["star-store_managers-1"]


def test_it_stays_where_somebody_added_a_visual(folder: Path) -> None:
    visual = folder / REPORT / "pages/star-store_managers-2/visuals/f5e4d3c2b1a0/visual.json"
    visual.parent.mkdir(parents=True)
    visual.write_text("{}")
    front = replace(store_managers, pages=store_managers.pages[:1])
    (told,) = bring_up_to_date(folder, project_files(star(dashboards=[front]), SETTINGS))
    assert "it stays, since somebody added visuals to it" in told
    assert visual.exists()
    assert json.loads((folder / PAGES).read_text())["pageOrder"] == ["star-store_managers-1", "star-store_managers-2"]


def test_a_visual_that_the_star_has_no_more_is_removed_and_told(folder: Path) -> None:
    front, miami = store_managers.pages
    fewer = replace(store_managers, pages=[replace(front, tiles=front.tiles[:3]), miami])
    told = bring_up_to_date(folder, project_files(star(dashboards=[fewer]), SETTINGS))
    assert (
        f"{REPORT}/pages/star-store_managers-1/visuals/star-tile-discount_rate is removed: the star has it no more."
        in told
    )
    assert not (folder / REPORT / "pages/star-store_managers-1/visuals/star-tile-discount_rate").exists()


def test_a_star_without_dashboards_is_a_model_with_an_empty_report(tmp_path: Path) -> None:
    assert bring_up_to_date(tmp_path, project_files(star(dashboards=[]), SETTINGS)) == []
    assert "activePageName" not in json.loads((tmp_path / PAGES).read_text())


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_written(folder: Path) -> None:
    (folder / PAGES).write_text("{")
    before = files_in(folder)
    with pytest.raises(UnreadableProject, match=r"pages\.json: expected JSON"):
        bring_up_to_date(folder, project_files(star(currency="EUR"), SETTINGS))
    assert files_in(folder) == before


def test_a_hierarchy_that_is_called_as_a_column_is_told() -> None:
    """Power BI would refuse the whole model."""
    same = replace(dim_product, hierarchies={"Category": ["category", "product_name"]})
    references = {**fact_sales.references, "product_id": same}
    made = star(
        dimensions=[same, dim_store, dim_customer, dim_time], facts=[replace(fact_sales, references=references)]
    )
    with pytest.raises(BadDeclaration, match="dim_product: two of its columns, measures and hierarchies"):
        project_files(made, SETTINGS)


def test_names_of_any_kind_are_quoted() -> None:
    """Quotes, brackets, slashes and other scripts are in what people call things."""
    labels = {"product_name": 'It\'s a ["Product"]', "category": "قسم", "brand": "</script>"}
    odd = replace(dim_product, label="Wares/Goods's", labels=labels, hierarchies={"A: b": ["category", "product_name"]})
    references = {**fact_sales.references, "product_id": odd}
    made = project_files(
        star(dimensions=[odd, dim_store, dim_customer, dim_time], facts=[replace(fact_sales, references=references)]),
        SETTINGS,
    )
    table = read_model(made).tables["Wares/Goods's"]
    assert {'It\'s a ["Product"]', "قسم", "</script>"} <= table.of("column").keys()
    assert table.of("hierarchy").keys() == {"A: b"}
    assert f"{MODEL}/tables/Wares-Goods's.tmdl" in made
