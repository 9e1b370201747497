-- What is described, as the newest record of each says. Times are Unix milliseconds; empty text and 0 stand for "none". What was
-- removed stays, so that what is kept of the past has names. record_id is the record that said so, revision the batch in which it was read.

-- +goose Up
create table dir_lots (
  id           text primary key,
  name         text not null,
  time_zone    text not null,
  address      text not null,
  lat          double precision,
  lon          double precision,
  heartbeat_s  bigint not null,
  created_ms   bigint not null,
  updated_ms   bigint not null,
  removed      boolean not null,
  record_id    text not null,
  revision     bigint not null
);
create index dir_lots_by_revision on dir_lots (revision);

create table dir_zones (
  id        text primary key,
  lot_id    text not null,
  name      text not null,
  level     bigint,
  removed   boolean not null,
  record_id text not null,
  revision  bigint not null
);
create index dir_zones_by_lot on dir_zones (lot_id, id);
create index dir_zones_by_revision on dir_zones (revision);

create table dir_spots (
  id          text primary key,
  lot_id      text not null,
  zone_id     text not null,
  name        text not null,
  category    text not null,
  lat         double precision,
  lon         double precision,
  heartbeat_s bigint not null,
  sensor_id   text not null,
  removed     boolean not null,
  record_id   text not null,
  revision    bigint not null
);
create index dir_spots_by_lot on dir_spots (lot_id, id);
create index dir_spots_by_revision on dir_spots (revision);

-- One row: how many batches changed something.
create table dir_state (
  one      bigint not null primary key check (one = 1),
  revision bigint not null
);
insert into dir_state (one, revision) values (1, 0);
