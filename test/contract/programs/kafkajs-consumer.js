// A consumer as tutorials write it, in a group of its own. Arguments: brokers, topic, group.
import { Kafka, logLevel } from 'kafkajs';
import { fail, say } from './say.js';

const [brokers, topic, groupId] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'old-consumer', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId });
try {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => say({ key: message.key?.toString() ?? null, message: message.value.toString() }),
  });
} catch (error) {
  fail(error);
}
