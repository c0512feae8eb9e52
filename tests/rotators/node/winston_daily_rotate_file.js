// winston with winston-daily-rotate-file: winston_daily_rotate_file.js DIRECTORY MANNER SECONDS.
'use strict';

const { once } = require('node:events');
const winston = require('winston');
const DailyRotateFile = require('winston-daily-rotate-file');
const { writeFor } = require('./numbered');

const MANNERS = {
  size: { filename: 'app-%DATE%.log', datePattern: 'YYYY-MM-DD', maxSize: '16k' },
  time: { filename: 'app-%DATE%.log', datePattern: 'YYYY-MM-DD-HHmmss' },
  gzip: { filename: 'app-%DATE%.log', datePattern: 'YYYY-MM-DD', maxSize: '16k', zippedArchive: true },
  // A symbolic link that leads to the present file.
  link: { filename: 'app-%DATE%.log', datePattern: 'YYYY-MM-DD', maxSize: '16k', createSymlink: true, symlinkName: 'app.log' },
};

async function main() {
  const [dirname, manner, seconds] = process.argv.slice(2);
  const transport = new DailyRotateFile({ dirname, ...MANNERS[manner] });
  const format = winston.format.printf(({ message }) => message);
  const logger = winston.createLogger({ format, transports: [transport] });
  const written = await writeFor(Number(seconds), async (line) => {
    if (!logger.write({ level: 'info', message: line })) await once(logger, 'drain');
  });
  const finished = once(transport, 'finish');
  logger.end();
  await finished;
  // The transport closes its file, and compresses the last one, behind its own back.
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(written);
}

main();
