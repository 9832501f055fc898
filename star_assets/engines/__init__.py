"""The engines that compute tables, behind one interface. An engine writes files; it knows no ledgers and no books."""
