// Package bench measures what proofs cost: families of models swept over width and depth, and any given
// model, for every proof system and way to hold weights there is.
//
// The promise: each figure comes from a process that did nothing else, so that a peak of memory is one
// phase's and a point that runs out of memory loses no other; times are medians; what was measured is
// on disk before the next point begins; and the results say with what versions, on which processor and
// from which seed they were made.
//
//	run.go      the parent: plans points, runs a process for each phase, keeps results, foretells the end
//	work.go     the child: one phase of one point
//	backend.go  what a proof system has to offer to be measured; groth16.go is one
//	models.go   the models, by name
//	fit.go, chart.go, report.go, html.go  what becomes of the results
//
// Pitfall: figures of a busy machine are those of a busy machine. Compare within one run; CPU seconds
// suffer less than wall time.
package bench
