-- +goose Up

create table audit_records (
    sequence      bigint primary key,
    previous      bytea  not null,
    hash          bytea  not null,
    recorded_at   bigint not null,
    time          bigint not null,
    kind          text   not null,
    topic         text   not null,
    part          bigint not null,
    place         bigint not null, -- the offset
    record_key    bytea,
    value         bytea,
    record_id     text,
    subject       text,
    client        text,
    request_id    text,
    resource_type text,
    resource_id   text,
    spot_id       text,
    lot_id        text,
    action        text,
    repeats       bigint not null
);

create index audit_records_time on audit_records (time, sequence);
create index audit_records_spot on audit_records (spot_id, time, sequence) where spot_id is not null;
create index audit_records_lot on audit_records (lot_id, time, sequence) where lot_id is not null;
create index audit_records_subject on audit_records (subject, time, sequence) where subject is not null;
create index audit_records_client on audit_records (client, time, sequence) where client is not null;
create index audit_records_request on audit_records (request_id, time, sequence) where request_id is not null;
create index audit_records_id on audit_records (record_id) where record_id is not null;
-- Nearly all are events, and whoever looks for others wants few.
create index audit_records_kind on audit_records (kind, time, sequence) where kind <> 'event';

-- Guards against accidents: see docs/audit.md for what they are not.

-- +goose StatementBegin
create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception '%', tg_argv[0] using errcode = 'restrict_violation';
end;
$$;
-- +goose StatementEnd

-- The head is looked for in the schema of the table, whatever the search path of who deletes.
-- +goose StatementBegin
create function audit_refuse_removal() returns trigger language plpgsql as $$
declare
    upto bigint;
begin
    execute format('select removable from %I.audit_head', tg_table_schema) into upto;
    if exists (select 1 from gone where sequence > coalesce(upto, 0)) then
        raise exception 'records of the audit chain are only removed by audit-retention, which puts a checkpoint in their place'
            using errcode = 'restrict_violation';
    end if;
    return null;
end;
$$;
-- +goose StatementEnd

create trigger audit_records_update before update on audit_records for each statement
    execute function audit_refuse('records of the audit chain are never changed');
create trigger audit_records_delete after delete on audit_records referencing old table as gone for each statement
    execute function audit_refuse_removal();
create trigger audit_records_truncate before truncate on audit_records for each statement
    execute function audit_refuse('records of the audit chain are only removed by audit-retention, which puts a checkpoint in their place');
create trigger audit_checkpoints_update before update on audit_checkpoints for each statement
    execute function audit_refuse('checkpoints of the audit chain are never changed');
create trigger audit_checkpoints_delete before delete or truncate on audit_checkpoints for each statement
    execute function audit_refuse('checkpoints of the audit chain are never removed');
create trigger audit_head_update before update on audit_head for each row
    when (new.sequence < old.sequence or new.chain <> old.chain or new.created_at <> old.created_at)
    execute function audit_refuse('the head of the audit chain only moves on');
create trigger audit_head_delete before delete or truncate on audit_head for each statement
    execute function audit_refuse('the head of the audit chain is never removed');

-- +goose Down
drop trigger audit_head_delete on audit_head;
drop trigger audit_head_update on audit_head;
drop trigger audit_checkpoints_delete on audit_checkpoints;
drop trigger audit_checkpoints_update on audit_checkpoints;
drop table audit_records;
drop function audit_refuse_removal;
drop function audit_refuse;
