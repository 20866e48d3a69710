package service

// Method answers a message.
type Method func(s *Service, argument []byte) ([]byte, error)

// Queries change nothing; they are answered by one replica.
var Queries = map[string]Method{
	"info":              (*Service).info,
	"verifying_key":     (*Service).verifyingKey,
	"verify":            (*Service).verify,
	"model":             (*Service).model,
	"task":              (*Service).task,
	"task_of_statement": (*Service).taskOfStatement,
	"certified_task":    (*Service).certifiedTask,
}

// Updates are answered by the subnet, whose signature certifies the answer.
var Updates = map[string]Method{
	"verify_update":  (*Service).verify,
	"replace_key":    (*Service).replaceKey,
	"register_model": (*Service).registerModel,
	"open_task":      (*Service).openTask,
	"settle":         (*Service).settle,
}
