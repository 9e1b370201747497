// A publisher as tutorials write it: each line of standard input is published. Arguments: URL, channel.
import { createInterface } from 'node:readline';
import Redis from 'ioredis';
import { fail, say } from './say.js';

const [url, channel] = process.argv.slice(2);
const redis = new Redis(url);
redis.on('error', fail);
for await (const message of createInterface({ input: process.stdin })) {
  say({ sent: message, receivers: await redis.publish(channel, message) });
}
redis.disconnect();
