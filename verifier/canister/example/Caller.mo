// A canister that has an answer proved before it believes it. It opens tasks at the verifier, takes the
// proof from whoever computed the answer, and keeps what the verifier settled.
//
// The verifier is imported by its interface: in dfx.json, "dependencies": ["zkinfer"]. Install the
// verifier with access "anyone", or make this canister one of its controllers.

import Zkinfer "canister:zkinfer";

persistent actor Caller {

  /// What came back of a task: the model's answer, proved, or why there is none.
  public type Outcome = { #proved : [Int32]; #hidden : Blob; #refused : Text };

  var answers : [(Blob, Outcome)] = [];

  /// Asks for the model's answer to an input. The context says who asks: a proof for another canister,
  /// or for another question of this one, does not settle the task.
  public shared func ask(input : [Int32], question : Blob) : async { #ok : Blob; #err : Text } {
    switch (await Zkinfer.open_task({ model = null; inputs = [#values input]; context = question })) {
      case (#ok id) #ok id;
      case (#err e) #err(reason e);
    };
  };

  /// Takes a proof file for a task that was asked for; anybody may bring it.
  public shared func answer(file : Blob) : async Outcome {
    switch (await Zkinfer.settle(#file file)) {
      case (#ok task) {
        let ?settlement = task.settlement else return #refused "the task is not settled";
        let outcome = switch (settlement.outputs[0]) {
          case (#values v) #proved v;
          case (#commitment c) #hidden c;
        };
        answers := [(task.id, outcome)];
        outcome;
      };
      case (#err e) #refused(reason e);
    };
  };

  /// Checks a proof without a task, and without keeping anything.
  public shared func check(file : Blob) : async Bool {
    switch (await Zkinfer.verify_update(#file file)) {
      case (#ok _) true;
      case (#err _) false;
    };
  };

  /// The last answer that was proved.
  public query func last() : async [(Blob, Outcome)] { answers };

  /// Which key and which model the verifier holds.
  public shared func trusts() : async { key : Blob; model : Blob } {
    let info = await Zkinfer.info();
    { key = info.key; model = info.model };
  };

  func reason(e : Zkinfer.Error) : Text {
    switch e {
      case (#malformed_proof t or #malformed_key t or #unsupported_version t or #wrong_kind t or #rejected t or #key_mismatch t) t;
      case (#bad_statement t or #unknown_task t or #task_exists t or #already_settled t or #not_authorized t) t;
    };
  };
};
