package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/service"
	"github.com/zkinfer/zkinfer/verifier/session"
)

type serveFlags struct {
	verify   bool
	holdings holdings
	listen   string
	limits   service.Options
}

// serveReport is what --json prints when the service listens.
type serveReport struct {
	Listening       string `json:"listening"` // URL
	VerifyingKey    string `json:"verifying_key"`
	ModelCommitment string `json:"model_commitment"`
	TrustedSetup    string `json:"trusted_setup"`
	Ceremony        string `json:"ceremony,omitempty"`
}

func newServe(u *ui) *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve --verify --keys KEYS",
		Short: "Check proofs over HTTP",
		Long: `Check proofs over HTTP: POST a proof file to /v1/verify. Status 200 means that it is valid, and nothing else does;
/openapi.json describes everything, /metrics is for Prometheus. --keys takes verifying.key and model.zkc from a folder, --vk
and --model-commitment name them.

The service has neither TLS nor authentication and listens to this machine only, unless --listen says otherwise. An interrupt
lets requests finish and ends it with exit code 0.`,
		Args: cobra.NoArgs,
		RunE: u.command(func(ctx context.Context, _ []string) error { return f.run(ctx, u) }),
	}
	flags := c.Flags()
	flags.BoolVar(&f.verify, "verify", false, "verify proofs")
	f.holdings.flags(flags)
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	flags.Int64Var(&f.limits.MaxBody, "max-proof-bytes", 1<<20, "largest proof file")
	flags.IntVar(&f.limits.MaxConcurrent, "max-concurrent", 0, "verifications at a time (default: the number of processors)")
	flags.IntVar(&f.limits.MaxInFlight, "max-requests", 64, "requests at a time, with those that wait")
	flags.DurationVar(&f.limits.MaxWait, "max-wait", 5*time.Second, "how long a request waits for a verification to begin")
	return c
}

func (f *serveFlags) run(ctx context.Context, u *ui) error {
	if !f.verify {
		return usagef("say what to serve: --verify is all there is")
	}
	if f.limits.MaxBody < 1 || f.limits.MaxInFlight < 1 || f.limits.MaxConcurrent < 0 || f.limits.MaxWait <= 0 {
		return usagef("limits must be above 0")
	}
	vk, m, err := f.holdings.open()
	if err != nil {
		return err
	}
	s, err := session.New(vk, m)
	if errors.Is(err, verifier.ErrKeyMismatch) {
		return &classified{"key_mismatch", err}
	}
	if err != nil {
		return err
	}
	h, err := service.New(s, f.limits)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; name another address", f.listen, err)
	}
	if err := f.announce(u, s.Info(), l); err != nil {
		l.Close()
		return err
	}
	return service.Serve(ctx, l, h)
}

// announce reports the address once connections to it are accepted.
func (f *serveFlags) announce(u *ui, info *session.Info, l net.Listener) error {
	r := &serveReport{Listening: "http://" + l.Addr().String(), VerifyingKey: info.VerifyingKey,
		ModelCommitment: info.ModelCommitment, TrustedSetup: info.TrustedSetup, Ceremony: info.Ceremony}
	return u.report(r, func(w io.Writer) {
		fields(w, "listening", r.Listening, "verifying key", r.VerifyingKey, "model commitment", r.ModelCommitment,
			"setup", setupText(r.TrustedSetup, r.Ceremony))
	})
}
