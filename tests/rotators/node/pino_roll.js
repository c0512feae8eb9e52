// pino with pino-roll: pino_roll.js DIRECTORY MANNER SECONDS.
'use strict';

const { once } = require('node:events');
const path = require('node:path');
const pino = require('pino');
const { writeFor } = require('./numbered');

const MANNERS = {
  size: { size: '16k' },
  time: { frequency: 1000 },
  // A symbolic link `current.log` that leads to the present file.
  link: { size: '16k', symlink: true },
};

async function main() {
  const [directory, manner, seconds] = process.argv.slice(2);
  const file = path.join(directory, 'app');
  const transport = pino.transport({ target: 'pino-roll', options: { file, extension: '.log', mkdir: true, ...MANNERS[manner] } });
  await once(transport, 'ready');
  const logger = pino(transport);
  const written = await writeFor(Number(seconds), async (line) => logger.info(line));
  // The transport is a thread that does not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  transport.end();
  await once(transport, 'close');
  clearInterval(alive);
  console.log(written);
}

main();
