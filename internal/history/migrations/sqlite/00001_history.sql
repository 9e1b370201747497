-- What history makes of the log of events. Times are milliseconds since 1970 in UTC. Empty text stands for "none".

-- +goose Up

-- Each spot that was ever heard of, and its open interval.
create table spots (
  spot_id     text not null primary key,
  partition   bigint not null,  -- of the log, in which it was heard of last
  version     bigint not null,  -- of its newest event; 0: no event had one
  status      text not null,    -- 'removed' too
  hole        boolean not null, -- unknown because the log had a hole
  lot_id      text not null,
  zone_id     text not null,
  since       bigint not null,  -- begin of the open interval
  counted     bigint,           -- end of the last interval that ended
  last_at     bigint not null,  -- of its newest event
  recorded_at bigint not null,  -- when the log took that
  stay_began  bigint,           -- of the stay that is under way, where it is occupied
  stay_before text not null,    -- the status before that, 'hole', or '': none
  twin        boolean not null  -- known from the compacted twin alone
) without rowid;
create index spots_by_lot on spots (lot_id, spot_id);

-- The intervals that ended. They have a length, and do not overlap. Rows of a lot lie together in the order of time, in which they are written.
create table intervals (
  spot_id     text not null,
  began       bigint not null,
  ended       bigint not null,
  status      text not null,
  hole        boolean not null,
  lot_id      text not null,
  zone_id     text not null,
  recorded_at bigint not null, -- when the log took the event that ended it
  primary key (lot_id, began, spot_id)
) without rowid;
create unique index intervals_by_spot on intervals (spot_id, began);

-- The stays that ended, in the lot and zone in which they did.
create table stays (
  spot_id       text not null,
  began         bigint not null,
  ended         bigint not null,
  lot_id        text not null,
  zone_id       text not null,
  status_before text not null,    -- the status, 'hole', or '': it stood there when the spot was first heard of
  status_after  text not null,    -- the status, or 'hole'
  completed     boolean not null, -- neither is 'unknown' or 'hole'
  recorded_at   bigint not null,
  primary key (lot_id, ended, spot_id)
) without rowid;
create unique index stays_by_spot on stays (spot_id, ended);

-- How far each partition of the log was read, by the time at which the log took its newest record.
create table partitions (
  partition bigint not null primary key,
  reached   bigint not null
) without rowid;

-- Rollups say what changed in a bucket of time: _delta by how much the number of spots with a status grew, _ms how many milliseconds of
-- spots these changes add within the bucket itself. The number at its begin, which is the sum of all deltas before, does so for the whole bucket.
create table quarters (
  lot_id               text not null,
  zone_id              text not null,
  quarter              bigint not null, -- its begin
  free_delta           bigint not null,
  free_ms              bigint not null,
  occupied_delta       bigint not null,
  occupied_ms          bigint not null,
  reserved_delta       bigint not null,
  reserved_ms          bigint not null,
  closed_delta         bigint not null,
  closed_ms            bigint not null,
  out_of_service_delta bigint not null,
  out_of_service_ms    bigint not null,
  unknown_delta        bigint not null,
  unknown_ms           bigint not null,
  arrivals             bigint not null, -- stays that began
  departures           bigint not null, -- stays that ended
  sessions             bigint not null, -- completed stays that ended
  dwell_ms             bigint not null, -- the length of those
  recorded_at          bigint not null,
  primary key (lot_id, zone_id, quarter)
) without rowid;

create table minutes (
  lot_id               text not null,
  zone_id              text not null,
  minute               bigint not null, -- its begin
  free_delta           bigint not null,
  free_ms              bigint not null,
  occupied_delta       bigint not null,
  occupied_ms          bigint not null,
  reserved_delta       bigint not null,
  reserved_ms          bigint not null,
  closed_delta         bigint not null,
  closed_ms            bigint not null,
  out_of_service_delta bigint not null,
  out_of_service_ms    bigint not null,
  unknown_delta        bigint not null,
  unknown_ms           bigint not null,
  arrivals             bigint not null, -- stays that began
  departures           bigint not null, -- stays that ended
  sessions             bigint not null, -- completed stays that ended
  dwell_ms             bigint not null, -- the length of those
  recorded_at          bigint not null,
  primary key (lot_id, zone_id, minute)
) without rowid;

-- The sums of the deltas of four weeks, so that nobody has to add up those of years.
create table spans (
  lot_id               text not null,
  zone_id              text not null,
  span                 bigint not null, -- its begin
  free_delta           bigint not null,
  occupied_delta       bigint not null,
  reserved_delta       bigint not null,
  closed_delta         bigint not null,
  out_of_service_delta bigint not null,
  unknown_delta        bigint not null,
  primary key (lot_id, zone_id, span)
) without rowid;

-- How often what happened; '' is of other programs, which do not say.
create table quarter_changes (
  lot_id  text not null,
  zone_id text not null,
  quarter bigint not null,
  change  text not null,
  changes bigint not null,
  primary key (lot_id, zone_id, quarter, change)
) without rowid;
