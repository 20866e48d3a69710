package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
	"github.com/zkinfer/zkinfer/prover/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

type setupFlags struct {
	backend   backendFlag
	circuit   circuitFlags
	sizeClass int
	out       output
	unsafeDev bool
	srs       string
	public    bool
}

// setupReport is what --json prints.
type setupReport struct {
	Keys              string  `json:"keys"`
	Backend           string  `json:"backend"`
	Curve             string  `json:"curve"`
	Constraints       int     `json:"constraints"`
	PublicInputs      int     `json:"public_inputs"`
	ProvingKeyBytes   int64   `json:"proving_key_bytes"`
	VerifyingKeyBytes int64   `json:"verifying_key_bytes"`
	VerifyingKey      string  `json:"verifying_key"` // digest
	FoldRows          int     `json:"fold_rows"`
	SizeClass         int     `json:"size_class,omitempty"`
	Seconds           float64 `json:"seconds"`
	PeakMemoryBytes   int64   `json:"peak_memory_bytes"`
	TrustedSetup      string  `json:"trusted_setup"`
}

func newSetup(u *ui) *cobra.Command {
	var f setupFlags
	c := &cobra.Command{
		Use:   "setup [MODEL.zkm] -o KEYS {--unsafe-dev-setup | --backend plonk --srs FILE}",
		Short: "Make the keys for a model's architecture, or for all models of a size class",
		Long: `Make the keys for a model's architecture: a folder with proving key, verifying key and circuit.

Keys do not depend on weights: a model with the same shapes, ranges and tables uses the same keys after a new
zkinfer commit. Keys of the sumcheck backend do not depend on the architecture either: they are those of the size class
that the model needs, and serve every model that fits it. --size-class N makes them without a model.

--unsafe-dev-setup is a setup by one party, who could keep its secrets and forge proofs: it is for development, and for
those who verify only their own proofs; zkinfer ceremony makes keys by several parties.

With --backend plonk no ceremony is needed: --srs FILE names a structured reference string that serves every circuit, a
.ptau file or one of gnark. PLONK keys hold the weights, hidden unless --public-weights: they serve one model, and proofs take
ten to twenty times as long. What takes long to compute of FILE is kept in the user's cache folder.`,
		Args: cobra.MaximumNArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args) }),
	}
	f.out.flags(c.Flags(), "out", "o", "key folder to write")
	f.backend.flags(c.Flags())
	f.circuit.flags(c.Flags())
	sizeClassFlag(c.Flags(), &f.sizeClass, "make keys of")
	c.Flags().StringVar(&f.srs, "srs", "", "structured reference string for --backend plonk: a .ptau file, or one of gnark")
	c.Flags().BoolVar(&f.public, "public-weights", false, "PLONK keys that anybody with the model and the SRS can make again")
	c.Flags().BoolVar(&f.unsafeDev, "unsafe-dev-setup", false, "make the keys alone: whoever does could forge proofs")
	return c
}

func (f *setupFlags) run(ctx context.Context, u *ui, paths []string) error {
	options, err := f.options(paths)
	if err != nil {
		return err
	}
	if err := f.out.check(); err != nil {
		return err
	}
	start := time.Now()
	backend, circuit, err := f.compile(ctx, u, paths, options)
	if err != nil {
		return err
	}
	var keys prover.Keys
	what := fmt.Sprintf("setting up keys for %s constraints", grouped(circuit.Constraints()))
	if err := u.step(what, func() (err error) { keys, err = f.setup(ctx, backend, circuit); return err }); err != nil {
		return err
	}
	manifest, err := keys.Save(f.out.path, f.out.force)
	if err != nil {
		return err
	}
	if f.unsafeDev {
		u.remark("these keys were made by one party and are for development: whoever made them could forge proofs")
	}
	r, err := newSetupReport(f.out.path, keys, manifest, time.Since(start))
	if err != nil {
		return err
	}
	return u.report(r, func(w io.Writer) { r.print(w) })
}

// options checks the flags.
func (f *setupFlags) options(paths []string) (prover.Options, error) {
	options, err := f.circuit.options()
	options.PublicParameters = f.public
	if err != nil {
		return options, err
	}
	if err := checkModelOrClass(paths, f.sizeClass); err != nil {
		return options, err
	}
	switch {
	case f.out.path == "":
		return options, usagef("-o is missing: name the key folder to write")
	case f.sizeClass != 0 && f.backend.name != backends.Auto && f.backend.name != wrapped.Backend:
		return options, usagef("--size-class is of the %s backend, not of %q", wrapped.Backend, f.backend.name)
	case f.unsafeDev && f.srs != "":
		return options, usagef("--srs and --unsafe-dev-setup exclude each other: the one takes secrets that nobody has, the other draws them here")
	case !f.unsafeDev && f.srs == "":
		return options, usagef("--unsafe-dev-setup is missing: this command makes keys by one party, who could forge proofs; zkinfer ceremony makes them by several, and --backend plonk --srs FILE takes a structured reference string")
	}
	return options, f.backend.check()
}

// sizeClassFlag names a size class in place of a model.
func sizeClassFlag(f *pflag.FlagSet, n *int, what string) {
	f.IntVar(n, "size-class", 0, fmt.Sprintf("%s a size class of the %s backend instead, %d to %d: rows of 2^N cells",
		what, wrapped.Backend, prover.MinSizeClass, prover.MaxSizeClass))
}

// checkModelOrClass demands the one or the other.
func checkModelOrClass(paths []string, class int) error {
	switch {
	case len(paths) == 0 && class == 0:
		return usagef("name a model, or a size class with --size-class")
	case len(paths) > 0 && class != 0:
		return usagef("a model or --size-class, not both: zkinfer setup MODEL.zkm --backend %s makes keys of the size class that a model needs", wrapped.Backend)
	case class != 0 && (class < prover.MinSizeClass || class > prover.MaxSizeClass):
		return usagef("--size-class %d, expected %d to %d", class, prover.MinSizeClass, prover.MaxSizeClass)
	}
	return nil
}

// compile makes the circuit for a model, or of a size class, and says for which backend.
func (f *setupFlags) compile(ctx context.Context, u *ui, paths []string, options prover.Options) (name string, circuit prover.Circuit, err error) {
	if f.sizeClass != 0 {
		circuit, err = sumcheck.NumberedClass(f.sizeClass, options)
		return wrapped.Backend, circuit, err
	}
	g, err := readModel(paths[0])
	if err != nil {
		return "", nil, err
	}
	backend, err := f.backend.choose(g, options)
	if err != nil {
		return "", nil, err
	}
	err = u.step("compiling the circuit", func() (err error) { circuit, err = backend.Compile(ctx, g, options); return err })
	return backend.Name(), circuit, err
}

func (f *setupFlags) setup(ctx context.Context, backend string, circuit prover.Circuit) (prover.Keys, error) {
	if f.srs == "" {
		return circuit.UnsafeDevSetup(ctx)
	}
	universal, ok := circuit.(prover.UniversalCircuit)
	if !ok {
		return nil, &classified{"unsupported_backend", fmt.Errorf("--srs is for --backend plonk; %s needs a setup for each circuit: zkinfer ceremony", backend)}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return universal.UniversalSetup(ctx, f.srs, "") // there is none: it is computed anew each time
	}
	return universal.UniversalSetup(ctx, f.srs, filepath.Join(cache, "zkinfer"))
}

func newSetupReport(dir string, keys prover.Keys, m *prover.Manifest, took time.Duration) (*setupReport, error) {
	vk, err := keys.VerifyingKey().MarshalBinary()
	if err != nil {
		return nil, err
	}
	return &setupReport{
		Keys: dir, SizeClass: sizeClass(keys.VerifyingKey()), Backend: m.Backend, Curve: m.Curve, Constraints: m.Constraints, PublicInputs: m.PublicInputs,
		ProvingKeyBytes: m.Files[prover.ProvingKeyFile].Bytes, VerifyingKeyBytes: int64(len(vk)), VerifyingKey: m.VerifyingKey,
		FoldRows: m.FoldRows, Seconds: took.Seconds(), PeakMemoryBytes: peakMemory(), TrustedSetup: m.TrustedSetup,
	}, nil
}

func (r *setupReport) print(w io.Writer) {
	backend := r.Backend
	if r.SizeClass != 0 {
		backend += fmt.Sprintf(", size class %d: for every model that fits it", r.SizeClass)
	}
	fields(w,
		"keys", r.Keys,
		"backend", backend,
		"verifying key", r.VerifyingKey,
		"constraints", grouped(r.Constraints),
		"sizes", fmt.Sprintf("proving key %s, verifying key %s", byteSize(r.ProvingKeyBytes), byteSize(r.VerifyingKeyBytes)),
		"setup", fmt.Sprintf("%s, in %s", r.TrustedSetup, seconds(r.Seconds)),
	)
}

// sizeClass is the number of a key's size class, 0 where it has none.
func sizeClass(vk verifier.Key) int {
	if k, ok := vk.(*wrapped.Key); ok {
		return k.Class.RowBits
	}
	return 0
}
