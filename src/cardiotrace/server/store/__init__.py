"""What the application keeps: a database, files by what they hold, and the folders of studies."""
