package sumcheck

import (
	"runtime"
	"sync"
)

// processors is the number of goroutines that work at once. It is asked for once: the runtime may change its mind, but whoever
// has made room for so many results must not be given more.
var processors = sync.OnceValue(func() int { return runtime.GOMAXPROCS(0) })

// grain is the least number of elements that are worth a goroutine of their own.
const grain = 1 << 10

// parallel calls work on parts of [0, n), on all processors; part numbers them from 0. It returns their number.
func parallel(n int, work func(part, from, to int)) int { return shared(n, grain, work) }

// shared is parallel for items of which least are worth a goroutine of their own.
func shared(n, least int, work func(part, from, to int)) int {
	parts := min(processors(), (n+least-1)/least)
	if parts <= 1 {
		work(0, 0, n)
		return 1
	}
	var wait sync.WaitGroup
	for part := range parts {
		wait.Go(func() { work(part, part*n/parts, (part+1)*n/parts) })
	}
	wait.Wait()
	return parts
}
