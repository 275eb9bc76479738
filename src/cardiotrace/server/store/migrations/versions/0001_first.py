"""The first form: studies, their files, uploads, jobs, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "studies",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, index=True),
        sa.Column("created", sa.Float(), nullable=False, index=True),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("within", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("job", sa.String(32)),
        sa.Column("error_text", sa.Text()),
        sa.Column("error_remedy", sa.Text()),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("signed", sa.JSON(none_as_null=True)),
        sa.Column("views", sa.JSON(), nullable=False),
        sa.Column("ef_value", sa.Float()),
        sa.Column("ef_low", sa.Float()),
        sa.Column("ef_high", sa.Float()),
        sa.Column("ef_method", sa.String(64)),
        sa.Column("grade", sa.Integer(), nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("study", sa.String(32), sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("job", sa.String(32)),
    )
    op.create_table(
        "upload_files",
        sa.Column("upload", sa.String(32), sa.ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("n", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("study", sa.String(32), index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("started", sa.Float()),
        sa.Column("finished", sa.Float()),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True)),
        sa.Column("error_text", sa.Text()),
        sa.Column("error_remedy", sa.Text()),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables, the dependent ones first."""
    for name in ("settings", "jobs", "upload_files", "uploads", "files", "studies"):
        op.drop_table(name)
