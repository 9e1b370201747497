-- +goose Up
create table consumer_states (
	consumer  text   not null primary key,
	topic     text   not null,
	topic_id  text   not null,            -- of the topic that the positions belong to, in hexadecimal digits
	revision  bigint not null,            -- one more with each transaction: whoever expects another one was replaced
	awaits_twin boolean not null          -- the compacted twin was not taken yet
);

-- Who rebuilds at present. It is a table of its own so that the service, which writes the row above all the time, does not get in the way of who says so.
create table consumer_rebuilds (
	consumer  text not null primary key,
	rebuilder text not null
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
	record_key    bytea  not null,
	record_value  bytea  not null, -- the beginning of it, where it is very long
	time_ms       bigint not null,
	rejected_ms   bigint not null,
	primary key (consumer, topic_id, partition, record_offset, record_key)
);

-- +goose Down
drop table rejected_records;
drop table consumer_positions;
drop table consumer_rebuilds;
drop table consumer_states;
