"""alerts: incidents with events, readers and acts of people; the outbox and its deliveries"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    incidents_up()
    outbox_up()


def downgrade() -> None:
    outbox_down()
    incidents_down()


def outbox_up() -> None:
    op.create_table('endpoint',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('not_before', sa.DateTime(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('disabled_at', sa.DateTime(), nullable=True),
    sa.Column('address_hash', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_endpoint'))
    )
    op.create_table('heartbeat',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_heartbeat'))
    )
    op.create_table('message',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('level', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_by', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('idem_key', sa.String(length=64), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=True),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('endpoint', sa.String(length=80), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=True),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=True),
    sa.Column('digest_id', sa.Integer(), nullable=True),
    sa.Column('rerouted_from', sa.Integer(), nullable=True),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('next_at', sa.DateTime(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('forgiven', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(), nullable=True),
    sa.Column('lease_by', sa.String(length=120), nullable=True),
    sa.Column('lease_epoch', sa.Integer(), nullable=False),
    sa.Column('settled_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['digest_id'], ['outbox.id'], name=op.f('fk_outbox_digest_id')),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_outbox_incident_id')),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_outbox_message_id')),
    sa.ForeignKeyConstraint(['rerouted_from'], ['outbox.id'], name=op.f('fk_outbox_rerouted_from')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('idem_key', name=op.f('uq_outbox_idem_key'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outbox_digest_id'), ['digest_id'], unique=False)
        batch_op.create_index('ix_outbox_due', ['next_at'], unique=False, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))
        batch_op.create_index(batch_op.f('ix_outbox_message_id'), ['message_id'], unique=False)
        batch_op.create_index('ix_outbox_reader', ['incident_id', 'channel', 'recipient', 'seq'], unique=False)

    op.create_table('dead_letter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outbox_id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=True),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('died_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_dead_letter_outbox_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dead_letter'))
    )
    op.create_table('delivery_attempt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outbox_id', sa.Integer(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('by', sa.String(length=120), nullable=False),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('outcome', sa.String(length=16), nullable=True),
    sa.Column('code', sa.Integer(), nullable=True),
    sa.Column('error_class', sa.String(length=80), nullable=True),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_delivery_attempt_outbox_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_attempt')),
    sa.UniqueConstraint('outbox_id', 'n', name=op.f('uq_delivery_attempt_outbox_id_n'))
    )


def outbox_down() -> None:
    op.drop_table('delivery_attempt')
    op.drop_table('dead_letter')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_reader')
        batch_op.drop_index(batch_op.f('ix_outbox_message_id'))
        batch_op.drop_index('ix_outbox_due', sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))
        batch_op.drop_index(batch_op.f('ix_outbox_digest_id'))

    op.drop_table('outbox')
    op.drop_table('message')
    op.drop_table('heartbeat')
    op.drop_table('endpoint')


def incidents_up() -> None:
    """New columns and nullable programs need new tables on SQLite: what is there is read, and written back."""
    connection = op.get_bind()
    kept = {name: _rows(connection, name) for name in ('rule_state', 'incident', 'notice', 'inbox_message')}
    _drop_incident_tables()
    _create_incident_tables()
    _create_acts()
    _write_back(connection, kept)
    _append_only(connection)


def _rows(connection: sa.Connection, name: str) -> list[dict]:
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    return [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings()]


def _drop_incident_tables() -> None:
    for name in ('inbox_message', 'notice', 'incident', 'rule_state'):
        op.drop_table(name)


def _create_incident_tables() -> None:
    op.create_table('rule_state',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=False),
    sa.Column('scope_key', sa.String(length=64), nullable=False),
    sa.Column('over', sa.Integer(), nullable=False),
    sa.Column('under', sa.Integer(), nullable=False),
    sa.Column('firing', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule_state')),
    sa.UniqueConstraint('rule', 'program_id', 'scope_key', name=op.f('uq_rule_state_rule_program_id_scope_key'))
    )
    op.create_table('rule_history',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=False),
    sa.Column('scope_key', sa.String(length=64), nullable=False),
    sa.Column('recent', sa.String(length=64), nullable=False),
    sa.Column('flapping', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule_history')),
    sa.UniqueConstraint('rule', 'program_id', 'scope_key', name=op.f('uq_rule_history_rule_program_id_scope_key'))
    )
    op.create_table('incident',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=True),
    sa.Column('scope_key', sa.String(length=64), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('opened_at', sa.DateTime(), nullable=False),
    sa.Column('closed_at', sa.DateTime(), nullable=True),
    sa.Column('value', sa.Double(), nullable=True),
    sa.Column('rule_id', sa.String(length=64), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('thread_id', sa.Integer(), nullable=True),
    sa.Column('base_at', sa.DateTime(), nullable=True),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('acknowledged_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['program_id'], ['program.id'], name=op.f('fk_incident_program_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident'))
    )
    open_now, everywhere = sa.text('closed_at IS NULL'), sa.text('closed_at IS NULL AND program_id IS NULL')
    op.create_index(op.f('ix_incident_program_id'), 'incident', ['program_id'], unique=False)
    op.create_index(op.f('ix_incident_thread_id'), 'incident', ['thread_id'], unique=False)
    op.create_index('uq_incident_open', 'incident', ['rule', 'program_id', 'scope_key'], unique=True, sqlite_where=open_now, postgresql_where=open_now)
    op.create_index('uq_incident_open_everywhere', 'incident', ['rule', 'scope_key'], unique=True, sqlite_where=everywhere, postgresql_where=everywhere)
    op.create_table('incident_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('as_of', sa.DateTime(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('value', sa.Double(), nullable=True),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('origin', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_incident_event_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident_event')),
    sa.UniqueConstraint('incident_id', 'seq', name=op.f('uq_incident_event_incident_id_seq')),
    sa.UniqueConstraint('origin', name=op.f('uq_incident_event_origin'))
    )
    op.create_table('notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=True),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('as_of', sa.DateTime(), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('delivered_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_notice_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('incident_id', 'seq', name=op.f('uq_notice_incident_id_seq'))
    )
    pending = sa.text('delivered_at IS NULL')
    op.create_index('ix_notice_pending', 'notice', ['id'], unique=False, sqlite_where=pending, postgresql_where=pending)
    op.create_table('telling',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('reader', sa.String(length=320), nullable=False),
    sa.Column('notice_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.CheckConstraint("(notice_id IS NULL) <> (reason = '')", name=op.f('ck_telling_one_of_two')),
    sa.ForeignKeyConstraint(['event_id'], ['incident_event.id'], name=op.f('fk_telling_event_id')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_telling_notice_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_telling')),
    sa.UniqueConstraint('event_id', 'reader', name=op.f('uq_telling_event_id_reader'))
    )
    untold = sa.text('notice_id IS NULL')
    op.create_index('ix_telling_held', 'telling', ['reader'], unique=False, sqlite_where=untold, postgresql_where=untold)
    op.create_index(op.f('ix_telling_notice_id'), 'telling', ['notice_id'], unique=False)
    op.create_table('inbox_message',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('notice_id', sa.Integer(), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=True),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('written_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_inbox_message_notice_id')),
    sa.ForeignKeyConstraint(['program_id'], ['program.id'], name=op.f('fk_inbox_message_program_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox_message')),
    sa.UniqueConstraint('notice_id', name=op.f('uq_inbox_message_notice_id'))
    )
    op.create_index(op.f('ix_inbox_message_program_id'), 'inbox_message', ['program_id'], unique=False)


def _create_acts() -> None:
    op.create_table('acknowledgement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_acknowledgement_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_acknowledgement'))
    )
    op.create_index(op.f('ix_acknowledgement_incident_id'), 'acknowledgement', ['incident_id'], unique=False)
    op.create_table('silence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('program', sa.String(length=64), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('scope_key', sa.String(length=64), nullable=False),
    sa.Column('starts_at', sa.DateTime(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=False),
    sa.Column('author', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_silence'))
    )
    op.create_table('declared_gap',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=False),
    sa.Column('service', sa.String(length=64), nullable=False),
    sa.Column('first', sa.Integer(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('author', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['program_id'], ['program.id'], name=op.f('fk_declared_gap_program_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_declared_gap'))
    )
    op.create_index(op.f('ix_declared_gap_program_id'), 'declared_gap', ['program_id'], unique=False)
    op.create_table('audit_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('who', sa.String(length=200), nullable=False),
    sa.Column('what', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('previous_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_event')),
    sa.UniqueConstraint('hash', name=op.f('uq_audit_event_hash'))
    )


def _append_only(connection: sa.Connection) -> None:
    """The database itself refuses to change or remove what is on the audit trail."""
    if connection.dialect.name == 'sqlite':
        for act in ('UPDATE', 'DELETE'):
            op.execute(
                f"CREATE TRIGGER audit_event_no_{act.lower()} BEFORE {act} ON audit_event "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
    )
    op.execute(
        'CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event '
        'FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()'
    )


def _write_back(connection: sa.Connection, kept: dict[str, list[dict]]) -> None:
    """The old rows, with an opening event and its telling for each incident that is open."""
    program_of = {row['id']: row['program_id'] for row in kept['incident']}
    next_id = max((row['id'] for row in kept['inbox_message']), default=0) + 1
    first = {}
    for row in kept['notice']:
        del row['check_id']
        first.setdefault(row['incident_id'], row['id'])
    for row in kept['notice']:
        if row['delivered_at'] is None:  # the inbox has everything from the start now
            kept['inbox_message'].append({
                'id': next_id, 'notice_id': row['id'], 'program_id': program_of[row['incident_id']], 'severity': row['severity'],
                'subject': row['subject'], 'body': row['body'], 'written_at': row['as_of'],
            })
            next_id += 1
    for row in kept['incident']:
        row |= {
            'rule_id': '', 'summary': row['rule'].replace('_', ' '), 'place': '', 'thread_id': row['id'],
            'base_at': row['opened_at'], 'step': 0, 'acknowledged_at': None,
        }
    for row in kept['rule_state']:
        row['under'] = 0
    still_open = [row for row in kept['incident'] if row['closed_at'] is None and row['id'] in first]
    kept['incident_event'] = [
        {
            'id': row['id'], 'incident_id': row['id'], 'seq': 1, 'kind': 'opened', 'severity': row['severity'], 'as_of': row['opened_at'],
            'at': row['opened_at'], 'value': row['value'], 'summary': row['summary'], 'level': 0, 'origin': f"incident {row['id']}",
        }
        for row in still_open
    ]
    kept['telling'] = [
        {'id': row['id'], 'event_id': row['id'], 'reader': 'inbox', 'notice_id': first[row['id']], 'reason': ''} for row in still_open
    ]
    for name in ('rule_state', 'incident', 'incident_event', 'notice', 'telling', 'inbox_message'):
        if kept[name]:
            op.bulk_insert(sa.Table(name, sa.MetaData(), autoload_with=connection), kept[name])
            if connection.dialect.name == 'postgresql':
                op.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")


def incidents_down() -> None:
    """Back to the older tables, empty: they cannot hold what happened since."""
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER audit_event_append_only ON audit_event')
        op.execute('DROP FUNCTION refuse_audit_change()')
    for name in ('audit_event', 'declared_gap', 'silence', 'acknowledgement', 'telling', 'incident_event', 'rule_history'):
        op.drop_table(name)
    _drop_incident_tables()
    op.create_table('rule_state',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=False),
    sa.Column('scope_key', sa.String(length=64), nullable=False),
    sa.Column('over', sa.Integer(), nullable=False),
    sa.Column('firing', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['program_id'], ['program.id'], name=op.f('fk_rule_state_program_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule_state')),
    sa.UniqueConstraint('rule', 'program_id', 'scope_key', name=op.f('uq_rule_state_rule_program_id_scope_key'))
    )
    op.create_table('incident',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=False),
    sa.Column('scope_key', sa.String(length=64), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('opened_at', sa.DateTime(), nullable=False),
    sa.Column('closed_at', sa.DateTime(), nullable=True),
    sa.Column('value', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['program_id'], ['program.id'], name=op.f('fk_incident_program_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident'))
    )
    open_now, pending = sa.text('closed_at IS NULL'), sa.text('delivered_at IS NULL')
    op.create_index(op.f('ix_incident_program_id'), 'incident', ['program_id'], unique=False)
    op.create_index('uq_incident_open', 'incident', ['rule', 'program_id', 'scope_key'], unique=True, sqlite_where=open_now, postgresql_where=open_now)
    op.create_table('notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('check_id', sa.Integer(), nullable=False),
    sa.Column('as_of', sa.DateTime(), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('delivered_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_notice_incident_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('incident_id', 'seq', name=op.f('uq_notice_incident_id_seq'))
    )
    op.create_index('ix_notice_pending', 'notice', ['id'], unique=False, sqlite_where=pending, postgresql_where=pending)
    op.create_table('inbox_message',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('notice_id', sa.Integer(), nullable=False),
    sa.Column('program_id', sa.Integer(), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('written_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_inbox_message_notice_id')),
    sa.ForeignKeyConstraint(['program_id'], ['program.id'], name=op.f('fk_inbox_message_program_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox_message')),
    sa.UniqueConstraint('notice_id', name=op.f('uq_inbox_message_notice_id'))
    )
    op.create_index(op.f('ix_inbox_message_program_id'), 'inbox_message', ['program_id'], unique=False)
