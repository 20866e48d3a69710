//go:build wasip1

package main

import "github.com/zkinfer/zkinfer/verifier/canister/internal/service"

// Methods have a space in their names, which Go refuses: the colon becomes one.

//go:wasmexport canister_query:info
func onInfo() { answer(service.Queries["info"]) }

//go:wasmexport canister_query:verifying_key
func onVerifyingKey() { answer(service.Queries["verifying_key"]) }

//go:wasmexport canister_query:verify
func onVerify() { answer(service.Queries["verify"]) }

//go:wasmexport canister_query:model
func onModel() { answer(service.Queries["model"]) }

//go:wasmexport canister_query:task
func onTask() { answer(service.Queries["task"]) }

//go:wasmexport canister_query:task_of_statement
func onTaskOfStatement() { answer(service.Queries["task_of_statement"]) }

//go:wasmexport canister_query:certified_task
func onCertifiedTask() { answer(service.Queries["certified_task"]) }

//go:wasmexport canister_update:verify_update
func onVerifyUpdate() { change(service.Updates["verify_update"]) }

//go:wasmexport canister_update:replace_key
func onReplaceKey() { change(service.Updates["replace_key"]) }

//go:wasmexport canister_update:register_model
func onRegisterModel() { change(service.Updates["register_model"]) }

//go:wasmexport canister_update:open_task
func onOpenTask() { change(service.Updates["open_task"]) }

//go:wasmexport canister_update:settle
func onSettle() { change(service.Updates["settle"]) }
