package service

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// buckets are the upper bounds of the histogram of durations, in seconds.
var buckets = []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5}

// metrics count what the service does, for Prometheus. Labels come from fixed sets: nothing that a
// client sends makes a new series.
type metrics struct {
	inFlight atomic.Int64

	mu      sync.Mutex
	results map[string]uint64 // answers of /v1/verify and refusals, by class or "valid"
	counts  []uint64          // verifications by bucket, the last one being beyond all
	seconds float64
}

func newMetrics() *metrics {
	return &metrics{results: map[string]uint64{"valid": 0, "rejected": 0}, counts: make([]uint64, len(buckets)+1)}
}

func (m *metrics) count(result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.results[result]++
}

// observe records how long a verification took.
func (m *metrics) observe(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, _ := slices.BinarySearch(buckets, d.Seconds())
	m.counts[i]++
	m.seconds += d.Seconds()
}

// write prints all metrics in the text format of Prometheus. An error of w ends nothing but the answer.
func (m *metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprint(w, "# HELP zkinfer_answers_total Answers by result: valid, or the class of the error.\n# TYPE zkinfer_answers_total counter\n")
	for _, result := range slices.Sorted(maps.Keys(m.results)) {
		fmt.Fprintf(w, "zkinfer_answers_total{result=%q} %d\n", result, m.results[result])
	}
	fmt.Fprint(w, "# HELP zkinfer_verify_seconds Time that verifications took.\n# TYPE zkinfer_verify_seconds histogram\n")
	total := uint64(0)
	for i, bound := range buckets {
		total += m.counts[i]
		fmt.Fprintf(w, "zkinfer_verify_seconds_bucket{le=\"%v\"} %d\n", bound, total)
	}
	total += m.counts[len(buckets)]
	fmt.Fprintf(w, "zkinfer_verify_seconds_bucket{le=\"+Inf\"} %d\n", total)
	fmt.Fprintf(w, "zkinfer_verify_seconds_sum %v\nzkinfer_verify_seconds_count %d\n", m.seconds, total)
	fmt.Fprint(w, "# HELP zkinfer_requests_in_flight Requests to verify that are being read, waiting or checked.\n# TYPE zkinfer_requests_in_flight gauge\n")
	fmt.Fprintf(w, "zkinfer_requests_in_flight %d\n", m.inFlight.Load())
}
