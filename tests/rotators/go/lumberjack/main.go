// zap with lumberjack: lumberjack DIRECTORY MANNER SECONDS.
package main

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"

	"rotators/numbered"
)

// lumberjack itself counts in megabytes; it is asked to rotate after so many lines.
const linesOfAFile = 230

func main() {
	directory, manner, seconds := os.Args[1], os.Args[2], os.Args[3]
	file := &lumberjack.Logger{Filename: directory + "/app.log", MaxBackups: 1000, Compress: manner == "gzip"}
	encoder := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "message"})
	logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(file), zapcore.InfoLevel))
	written := 0
	numbered.WriteFor(seconds, func(line string) {
		logger.Info(line)
		if written++; written%linesOfAFile == 0 {
			if err := file.Rotate(); err != nil {
				panic(err)
			}
		}
	})
	_ = file.Close()
}
