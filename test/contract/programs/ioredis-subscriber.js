// A subscriber as tutorials write it. Arguments: URL, channel.
import Redis from 'ioredis';
import { fail, say } from './say.js';

const [url, channel] = process.argv.slice(2);
const redis = new Redis(url);
redis.on('error', fail);
redis.on('message', (_, message) => say({ message }));
await redis.subscribe(channel);
say({ ready: true });
