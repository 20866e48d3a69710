package service

import "github.com/zkinfer/zkinfer/verifier/canister/internal/candid"

// The types of the interface; zkinfer.did says what they mean.
var (
	tensorType  = candid.Variant(f("values", candid.Vec(candid.Int32)), f("commitment", candid.Blob))
	tensorsType = candid.Vec(tensorType)
	claimType   = candid.Record(f("model", optBlob), f("inputs", tensorsType), f("outputs", tensorsType), f("context", candid.Blob), f("proof", candid.Blob))
	proofType   = candid.Variant(f("claim", claimType), f("file", candid.Blob))
	openType    = candid.Record(f("model", optBlob), f("inputs", tensorsType), f("context", candid.Blob))
	optBlob     = candid.Opt(candid.Blob)

	accessType = candid.Variant(f(accessControllers, candid.Null), f(accessAnyone, candid.Null))
	setupType  = candid.Record(f("key", candid.Blob), f("model", candid.Blob), f("access", candid.Opt(accessType)))

	verifiedType = candid.Record(f("statement", candid.Blob), f("key", candid.Blob), f("model", candid.Blob), f("outputs", tensorsType))
	modelType    = candid.Record(f("digest", candid.Blob), f("commitment", candid.Blob), f("key", candid.Blob),
		f("registrar", candid.Principal), f("registered", candid.Nat64))
	settlementType = candid.Record(f("statement", candid.Blob), f("outputs", tensorsType), f("proof", candid.Blob),
		f("settler", candid.Principal), f("settled", candid.Nat64))
	taskType = candid.Record(f("id", candid.Blob), f("key", candid.Blob), f("model", candid.Blob), f("inputs", tensorsType),
		f("context", candid.Blob), f("requester", candid.Principal), f("opened", candid.Nat64), f("settlement", candid.Opt(settlementType)))
	certifiedType  = candid.Record(f("task", candid.Blob), f("certificate", optBlob), f("witness", candid.Blob))
	tensorInfoType = candid.Record(f("name", candid.Text), f("shape", candid.Vec(candid.Nat32)), f("element", candid.Text),
		f("min", candid.Int32), f("max", candid.Int32), f("private", candid.Bool))
	infoType = candid.Record(f("version", candid.Text), f("key", candid.Blob), f("architecture", candid.Blob), f("model", candid.Blob),
		f("trusted_setup", candid.Text), f("name", candid.Text), f("inputs", candid.Vec(tensorInfoType)), f("outputs", candid.Vec(tensorInfoType)),
		f("proof_bytes", candid.Nat32), f("access", accessType), f("models", candid.Nat64), f("tasks", candid.Nat64),
		f("settled", candid.Nat64), f("stable_bytes", candid.Nat64))

	errorType = candid.Variant(errorCases()...)

	// What stable memory holds: a model as package prepared has it, so that nothing is computed again.
	settingsType    = candid.Record(f("key", candid.Blob), f("model", candid.Blob), f("access", accessType))
	storedModelType = candid.Record(f("table", candid.Blob), f("key", candid.Blob), f("registrar", candid.Principal), f("registered", candid.Nat64))
)

// Who may register models and open tasks.
const (
	accessControllers = "controllers"
	accessAnyone      = "anyone"
)

func f(name string, t *candid.Type) candid.Field { return candid.Field{Name: name, Type: t} }

func errorCases() (out []candid.Field) {
	for _, class := range []string{"malformed_proof", "malformed_key", "unsupported_version", "wrong_kind", "rejected", "key_mismatch", "bad_statement",
		"unknown_task", "task_exists", "already_settled", "not_authorized"} {
		out = append(out, f(class, candid.Text))
	}
	return out
}
