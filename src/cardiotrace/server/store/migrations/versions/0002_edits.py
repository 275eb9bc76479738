"""What people correct: the journal, planes that stand edited, studies with readers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _study() -> "sa.Column[str]":
    place = sa.ForeignKey("studies.id", ondelete="CASCADE")
    return sa.Column("study", sa.String(32), place, nullable=False, index=True)


def upgrade() -> None:
    """Make the tables; studies that were analysed before are told which analysis stands."""
    op.add_column("studies", sa.Column("analysis", sa.String(32)))
    op.execute("UPDATE studies SET analysis = job WHERE state = 'done'")
    op.create_table(
        "edits",
        sa.Column("serial", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        _study(),
        sa.Column("document", sa.String(32), nullable=False, index=True),
        sa.Column("analysis", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("of", sa.String(32)),
        sa.Column("gesture", sa.JSON(), nullable=False),
        sa.Column("change", sa.JSON(none_as_null=True)),
    )
    op.create_table(
        "planes",
        sa.Column("document", sa.String(32), primary_key=True),
        sa.Column("image", sa.Text(), primary_key=True),
        sa.Column("frame", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("slice", sa.Integer(), primary_key=True, autoincrement=False),
        _study(),
        sa.Column("labels", sa.String(64), nullable=False),
        sa.Column("trace", sa.JSON(), nullable=False),
    )
    op.create_table(
        "reader_studies",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
    )
    group = sa.ForeignKey("reader_studies.id", ondelete="CASCADE")
    op.create_table(
        "readings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("reader_study", sa.String(32), group, nullable=False, index=True),
        _study(),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Float()),
        sa.Column("done", sa.Float()),
    )
