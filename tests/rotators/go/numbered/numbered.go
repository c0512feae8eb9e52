// Package numbered has the lines that every program here writes, as numbered.py.
package numbered

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func line(number int) string {
	return fmt.Sprintf("line %09d %013d %s", number, time.Now().UnixMilli(), strings.Repeat("x", 1+number*7%80))
}

// WriteFor hands lines to log for so many seconds, and says how many there were.
func WriteFor(seconds string, log func(string)) {
	duration, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("writing")
	end := time.Now().Add(time.Duration(duration * float64(time.Second)))
	number := 0
	for ; time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for range 10 {
			log(line(number))
			number++
		}
	}
	fmt.Println(number)
}
