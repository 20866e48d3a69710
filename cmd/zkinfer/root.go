package main

import (
	"context"
	"errors"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// run executes one command line, without the program's name, and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	u := newUI(args, &interruptible{ctx: ctx, in: in}, out, errOut)
	root := newRoot(u)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil && !errors.Is(err, errInterrupted) {
		err = errInterrupted
	}
	return u.finish(err)
}

func newRoot(u *ui) *cobra.Command {
	root := &cobra.Command{
		Use:           "zkinfer",
		Short:         "Prove what a neural network answered, without showing its weights",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command given; see zkinfer --help")
		},
	}
	root.SetIn(u.in)
	root.SetOut(u.out)
	root.SetErr(u.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.BoolVar(&u.json, "json", u.json, "print one JSON object instead of text")
	flags.BoolVar(&u.quiet, "quiet", false, "no progress and no remarks on standard error")
	root.AddCommand(newImport(u), newInspect(u), newRun(u), newSetup(u), newCommit(u), newProve(u), newVerify(u),
		newExport(u), newCalldata(u), newServe(u), newCeremony(u), newBench(u), newBenchPoint(u), newEstimateCommand(u), newDemo(u))
	return root
}

// command makes RunE of f: what fails before f is reached is wrong usage.
func (u *ui) command(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		u.started = true
		return f(c.Context(), args)
	}
}

// version is the version of the module that the program was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
