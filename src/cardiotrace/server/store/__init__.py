"""What the application keeps: a database, files by what they hold, and the folders of studies."""

# All tables are known wherever one of them is: backups and revisions go through all.
from cardiotrace.server.store import edit_tables, tables  # noqa: F401
