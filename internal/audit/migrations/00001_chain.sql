-- +goose Up

-- One row: the chain and where it ends. Whoever appends holds it until the end of the transaction, so that the chain is one sequence,
-- however many topics and processes it comes from.
create table audit_head (
    one         integer primary key check (one = 1),
    chain       text    not null,
    created_at  bigint  not null, -- times are Unix milliseconds
    sequence    bigint  not null,
    hash        bytea   not null,
    recorded_at bigint  not null,
    taken       bigint  not null,
    removable   bigint  not null -- up to here records may be deleted; 0 but in the transaction that puts a checkpoint in their place
);

-- What was removed. Each is told of by a record of the chain, too.
create table audit_checkpoints (
    number         bigint primary key,
    previous       bytea  not null,
    first_sequence bigint not null,
    last_sequence  bigint not null,
    first_time     bigint not null,
    last_time      bigint not null,
    before_hash    bytea  not null,
    last_hash      bytea  not null,
    removed_at     bigint not null,
    entry          bigint not null,
    hash           bytea  not null
);

-- Heads that were signed.
create table audit_signatures (
    sequence  bigint primary key,
    hash      bytea  not null,
    signed_at bigint not null,
    key_id    text   not null,
    signature bytea  not null
);

-- +goose Down
drop table audit_signatures;
drop table audit_checkpoints;
drop table audit_head;
