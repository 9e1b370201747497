-- +goose Up
create table chains (
	name      text   not null,
	partition bigint not null,
	records   bigint not null,
	sum       text   not null,
	primary key (name, partition)
);

create table gaps (
	name      text   not null,
	partition bigint not null,
	first     bigint not null,
	last      bigint not null,
	replaced  boolean not null
);

-- +goose Down
drop table gaps;
drop table chains;
