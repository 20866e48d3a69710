// Command zkinfer turns trained models into integer graphs, and their inferences into proofs.
//
// One file a command. What all of them promise: data on standard output and everything else on
// standard error; with --json exactly one JSON object on standard output, also on failure; exit code
// 0 for success, 1 for failure, 2 for wrong usage, 3 for a proof that was checked and rejected, 130
// after an interrupt; no output file that is not complete.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(mainCode()) }

// mainCode is apart from main so that deferred calls run before the process ends.
func mainCode() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second interrupt ends the process at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
