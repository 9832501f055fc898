"""What customers' names are made of: common first and last names, and trades; any pair is chance."""

# Split from text: a list of quoted names would be seven times as long.

FIRST_NAMES = (  # noqa: SIM905
    "Aaron Abigail Adriana Alicia Amir Andrea Anita Benjamin Beatriz Björn Caleb Camila Carlos Chloé Claire Colin "
    "Daniel Diego Dolores Elena Eli Emilia Ethan Fatima Felix Gabriela Grace Hannah Hugo Imani Ines Isaac Jasmine "
    "Joel José Julia Kenji Kira Laura Leon Lucía Mai Marcus Maya Miguel Naomi Nikhil Nora Olivia Omar Paula Priya "
    "Rafael Renée Rosa Ruth Samuel Sara Sofia Søren Tessa Thomas Valeria Victor Wei Yusuf Zoë"
).split()

LAST_NAMES = (  # noqa: SIM905
    "Abbott Alvarez Anderson Barnes Becker Bennett Campbell Castillo Chen Cooper Cruz Dawson Delgado Díaz Edwards "
    "Ellis Evans Fischer Flores Foster Garza Gonçalves Graham Gupta Haddad Hayes Hoffman Hughes Ibrahim Jensen Kaur "
    "Keller Kim Kovač Lambert Larsen Lopez Marsh Mendoza Meyer Moreno Müller Murphy Nguyen Novak Núñez O'Brien Okafor "
    "Ortiz Osborne Park Patel Peña Pham Price Quinn Reyes Rossi Russo Sandoval Schmidt Silva Soto Suzuki Tanaka Torres "
    "Tran Vargas Wallace Walsh Weber Yılmaz"
).split()

TRADES = ("Catering, LLC", "& Sons, Inc.", "Interiors, LLC", "Property Services, Inc.", "Event Rentals")
