-- +goose Up
create table alert_rules (
	id         text    not null primary key,
	subject    text    not null,
	reach      text    not null, -- ids of the lots that the subject could see when it was written, as JSON; '': all
	definition text    not null, -- as the subject wrote it, as JSON
	epoch      bigint  not null, -- one more each time that the rule begins anew
	version    bigint  not null, -- one more with each change
	revision   bigint  not null, -- of alert_rule_counter, as of the last change: by it the process that decides finds what changed
	removed    boolean not null, -- the process that decides deletes it
	created_ms bigint  not null,
	updated_ms bigint  not null
);
create index alert_rules_by_subject on alert_rules (subject, id);
create index alert_rules_by_revision on alert_rules (revision);

create table alert_rule_states (
	rule_id text    not null primary key,
	epoch   bigint  not null, -- of another one of the rule nothing is known
	armed   boolean not null,
	said    bigint  not null, -- how many times it has spoken
	last_ms bigint  not null, -- when it did last; 0: never
	done    boolean not null  -- it speaks once, and has
);

-- What rules of single spots have nothing more to say of, while it is so.
create table alert_rule_spots (
	rule_id  text   not null,
	spot_id  text   not null,
	since_ms bigint not null,
	primary key (rule_id, spot_id)
);

create table alert_spots (
	spot_id  text    not null primary key,
	lot_id   text    not null,
	zone_id  text    not null,
	status   text    not null,
	since_ms bigint  not null,
	version  bigint  not null,
	stale    boolean not null -- as it was before a rebuild, of which nothing was heard since
);

-- Spots that were removed not long ago: an event of before, which is read again, does not bring them back.
create table alert_spots_gone (
	spot_id    text   not null primary key,
	version    bigint not null,
	removed_ms bigint not null
);

create table alert_decisions (
	sequence    bigint not null primary key, -- in the order in which they were committed
	id          text   not null unique,
	rule_id     text   not null,
	subject     text   not null,
	lots        text   not null, -- ids of the lots that it tells of, as JSON; '': all
	decided_ms  bigint not null,
	document    text   not null  -- as it is told
);
create index alert_decisions_by_subject on alert_decisions (subject, sequence);
create index alert_decisions_by_time on alert_decisions (decided_ms);

-- Each in a table of its own: PostgreSQL reads a table of two rows as a whole, so that who counts one would be in the way of who counts the other.
create table alert_rule_counter (
	one   bigint not null primary key, -- 1
	value bigint not null
);
insert into alert_rule_counter (one, value) values (1, 0);

create table alert_decision_counter (
	one   bigint not null primary key, -- 1
	value bigint not null
);
insert into alert_decision_counter (one, value) values (1, 0);

-- +goose Down
drop table alert_decision_counter;
drop table alert_rule_counter;
drop table alert_decisions;
drop table alert_spots_gone;
drop table alert_spots;
drop table alert_rule_spots;
drop table alert_rule_states;
drop table alert_rules;
