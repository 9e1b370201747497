// A producer as tutorials write it: no key, one record for each line of standard input.
// Arguments: brokers, topic.
import { createInterface } from 'node:readline';
import { Kafka, logLevel } from 'kafkajs';
import { fail, say } from './say.js';

const [brokers, topic] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'old-producer', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer();
try {
  await producer.connect();
  for await (const value of createInterface({ input: process.stdin })) {
    await producer.send({ topic, messages: [{ value }] });
    say({ sent: value });
  }
  await producer.disconnect();
} catch (error) {
  fail(error);
}
