// Docker's own json-file driver: docker DIRECTORY MANNER SECONDS. The daemon is not needed for it.
package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/docker/docker/daemon/logger"
	"github.com/docker/docker/daemon/logger/jsonfilelog"

	"rotators/numbered"
)

const container = "0123456789abcdef"

func main() {
	directory, manner, seconds := filepath.Join(os.Args[1], "containers", container), os.Args[2], os.Args[3]
	must(os.MkdirAll(directory, 0o755))
	compress := "false"
	if manner == "gzip" {
		compress = "true"
	}
	driver, err := jsonfilelog.New(logger.Info{
		ContainerID: container,
		LogPath:     filepath.Join(directory, container+"-json.log"),
		Config:      map[string]string{"max-size": "24k", "max-file": "1000", "compress": compress},
	})
	must(err)
	numbered.WriteFor(seconds, func(line string) {
		must(driver.Log(&logger.Message{Line: []byte(line), Source: "stdout", Timestamp: time.Now()}))
	})
	must(driver.Close())
	// The last file may still be being compressed.
	time.Sleep(time.Second)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
