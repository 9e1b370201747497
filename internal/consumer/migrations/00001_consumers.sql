-- +goose Up
create table consumer_states (
	consumer  text   not null primary key,
	topic     text   not null,
	topic_id  text   not null,            -- of the topic that the positions belong to, in hexadecimal digits
	epoch     text   not null,            -- another one whenever a process begins to read
	revision  bigint not null,            -- one more with each transaction: whoever expects another one, or another epoch, was replaced
	awaits_twin boolean not null          -- the compacted twin was not taken yet
);

-- Who rebuilds at present. It is a table of its own so that the service, which writes the row above all the time, does not get in the way of who says so.
create table consumer_rebuilds (
	consumer  text   not null primary key,
	rebuilder text   not null,
	beat      bigint not null -- one more every few seconds, while that process lives
);

create table consumer_positions (
	consumer    text   not null,
	partition   bigint not null,
	next_offset bigint not null, -- everything before it is in the tables of the service
	time_ms     bigint not null, -- timestamp of the newest record before it; 0: none
	primary key (consumer, partition)
);

create table rejected_records (
	consumer      text   not null,
	topic_id      text   not null,
	partition     bigint not null,
	record_offset bigint not null, -- -1: a record of the twin
	topic         text   not null,
	reason        text   not null,
	key_hash      bytea  not null, -- SHA-256 of the key, which may be too long for an index: it tells records of the twin apart
	record_key    bytea  not null, -- the beginning of it, where it is very long
	record_value  bytea  not null, -- the same
	time_ms       bigint not null,
	rejected_ms   bigint not null,
	filled        bigint not null, -- bytes of all that were set aside up to this one: what is too far behind the newest is dropped
	primary key (consumer, topic_id, partition, record_offset, key_hash)
);
create index rejected_records_filled on rejected_records (consumer, filled);

-- +goose Down
drop table rejected_records;
drop table consumer_positions;
drop table consumer_rebuilds;
drop table consumer_states;
