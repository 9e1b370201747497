-- +goose Up

create table audit_records (
    sequence      integer primary key,
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
create trigger audit_records_update before update on audit_records
begin
    select raise(abort, 'records of the audit chain are never changed');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger audit_records_delete before delete on audit_records when old.sequence > coalesce((select removable from audit_head), 0)
begin
    select raise(abort, 'records of the audit chain are only removed by audit-retention, which puts a checkpoint in their place');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger audit_checkpoints_update before update on audit_checkpoints
begin
    select raise(abort, 'checkpoints of the audit chain are never changed');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger audit_checkpoints_delete before delete on audit_checkpoints
begin
    select raise(abort, 'checkpoints of the audit chain are never removed');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger audit_head_update before update on audit_head when new.sequence < old.sequence or new.chain <> old.chain or new.created_at <> old.created_at
begin
    select raise(abort, 'the head of the audit chain only moves on');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger audit_head_delete before delete on audit_head
begin
    select raise(abort, 'the head of the audit chain is never removed');
end;
-- +goose StatementEnd

-- +goose Down
drop trigger audit_head_delete;
drop trigger audit_head_update;
drop trigger audit_checkpoints_delete;
drop trigger audit_checkpoints_update;
drop table audit_records;
