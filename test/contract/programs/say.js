// How the programs tell the test what they see: one JSON object a line.
export const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');

// An error ends a program: a client that the platform closes or a producer that it refuses is a failure.
export const fail = (error) => {
  say({ error: String(error?.stack ?? error) });
  process.exit(1);
};
