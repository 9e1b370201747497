-- +goose Up
create table alert_records (
	id           bigint not null primary key, -- in the order in which they were committed
	record_key   text   not null,
	record_value text   not null
);

create table alert_record_ids (
	one     bigint not null primary key, -- 1
	last_id bigint not null
);
insert into alert_record_ids (one, last_id) values (1, 0);

-- +goose Down
drop table alert_record_ids;
drop table alert_records;
