"""contingency results"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contingency_pair_row',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('first', sa.String(length=64), nullable=False),
    sa.Column('second', sa.String(length=64), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('slots', sa.Integer(), nullable=False),
    sa.Column('more', sa.Integer(), nullable=False),
    sa.Column('expected_seats', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['result_id'], ['result.id'], name=op.f('fk_contingency_pair_row_result_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contingency_pair_row'))
    )
    with op.batch_alter_table('contingency_pair_row', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contingency_pair_row_result_id'), ['result_id'], unique=False)

    op.create_table('contingency_person_row',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('person', sa.String(length=64), nullable=False),
    sa.Column('slots_lost_static', sa.Integer(), nullable=False),
    sa.Column('slots_lost_direct', sa.Integer(), nullable=False),
    sa.Column('slots_lost_call_in', sa.Integer(), nullable=False),
    sa.Column('slots_lost_full', sa.Integer(), nullable=False),
    sa.Column('slots_lost_required', sa.Integer(), nullable=False),
    sa.Column('sole_slots', sa.Integer(), nullable=False),
    sa.Column('people_moved', sa.Integer(), nullable=True),
    sa.Column('worst_day', sa.Integer(), nullable=True),
    sa.Column('worst_slot', sa.String(length=64), nullable=True),
    sa.Column('worst_deficit', sa.Integer(), nullable=True),
    sa.Column('posts_lost', sa.Text(), nullable=False),
    sa.Column('tier_1', sa.Integer(), nullable=True),
    sa.Column('tier_2', sa.Integer(), nullable=True),
    sa.Column('tier_3', sa.Integer(), nullable=True),
    sa.Column('tier_4', sa.Integer(), nullable=True),
    sa.Column('tier_5', sa.Integer(), nullable=True),
    sa.Column('tier_6', sa.Integer(), nullable=True),
    sa.Column('tier_7', sa.Integer(), nullable=True),
    sa.Column('absent_share', sa.Double(), nullable=True),
    sa.Column('expected_slots', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['result_id'], ['result.id'], name=op.f('fk_contingency_person_row_result_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contingency_person_row'))
    )
    with op.batch_alter_table('contingency_person_row', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contingency_person_row_result_id'), ['result_id'], unique=False)

    op.create_table('contingency_row',
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('missing_days', sa.Integer(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('unqualified', sa.Integer(), nullable=False),
    sa.Column('open_static', sa.Integer(), nullable=False),
    sa.Column('open_direct', sa.Integer(), nullable=False),
    sa.Column('open_call_in', sa.Integer(), nullable=False),
    sa.Column('open_full', sa.Integer(), nullable=False),
    sa.Column('open_required_full', sa.Integer(), nullable=False),
    sa.Column('n1_pass', sa.Boolean(), nullable=True),
    sa.Column('n2_pass', sa.Boolean(), nullable=True),
    sa.Column('n1_pass_near', sa.Boolean(), nullable=True),
    sa.Column('n2_pass_near', sa.Boolean(), nullable=True),
    sa.Column('essential_people', sa.Integer(), nullable=False),
    sa.Column('harmful_pairs', sa.Integer(), nullable=False),
    sa.Column('least_losses', sa.Integer(), nullable=True),
    sa.Column('phase_risk', sa.String(length=16), nullable=False),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['result_id'], ['result.id'], name=op.f('fk_contingency_row_result_id')),
    sa.PrimaryKeyConstraint('result_id', name=op.f('pk_contingency_row'))
    )
    op.create_table('deep_dive_row',
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('phase_risk', sa.String(length=16), nullable=False),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['result_id'], ['result.id'], name=op.f('fk_deep_dive_row_result_id')),
    sa.PrimaryKeyConstraint('result_id', name=op.f('pk_deep_dive_row'))
    )
    op.create_table('result_detail',
    sa.Column('result_id', sa.Integer(), nullable=False),
    sa.Column('blob', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['result_id'], ['result.id'], name=op.f('fk_result_detail_result_id')),
    sa.PrimaryKeyConstraint('result_id', name=op.f('pk_result_detail'))
    )
    with op.batch_alter_table('health_check', schema=None) as batch_op:
        batch_op.add_column(sa.Column('contingency_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('phase_risk', sa.String(length=16), server_default='unknown', nullable=False))
        batch_op.add_column(sa.Column('duty_breaches', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_health_check_contingency_id'), 'result', ['contingency_id'], ['id'])



def downgrade() -> None:
    with op.batch_alter_table('health_check', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_health_check_contingency_id'), type_='foreignkey')
        batch_op.drop_column('duty_breaches')
        batch_op.drop_column('phase_risk')
        batch_op.drop_column('contingency_id')

    op.drop_table('result_detail')
    op.drop_table('deep_dive_row')
    op.drop_table('contingency_row')
    with op.batch_alter_table('contingency_person_row', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contingency_person_row_result_id'))

    op.drop_table('contingency_person_row')
    with op.batch_alter_table('contingency_pair_row', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contingency_pair_row_result_id'))

    op.drop_table('contingency_pair_row')
