"""The services' own clients, used as their makers ship them, against the embedded services."""
