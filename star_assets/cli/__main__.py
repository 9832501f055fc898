"""`python -m star_assets.cli` is `star-assets`."""

from star_assets.cli import main

main()
