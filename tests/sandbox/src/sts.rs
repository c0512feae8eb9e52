//! STS: fixed credentials for whoever asks.
//!
//! Invariant: the credentials are no secrets and open nothing; the sandbox checks no signature.

use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::options::SandboxOptions;
use crate::reply::Answer;

/// Later than any test ends.
const EXPIRATION: &str = "2099-12-31T23:59:59Z";
const USER_ID: &str = "AROASANDBOXSANDBOX00";

/// The identities.
#[derive(Debug)]
pub(crate) struct Sts {
    account_id: String,
}

impl Sts {
    pub(crate) fn new(options: &SandboxOptions) -> Self {
        Self { account_id: options.account_id.clone() }
    }

    pub(crate) fn carry_out(&self, operation: &str, tree: &Value) -> Result<Answer, AwsError> {
        match operation {
            "AssumeRole" => self.assume_role(tree),
            "GetCallerIdentity" => Ok(self.caller()),
            other => Err(AwsError::unknown_operation(other)),
        }
        .map(Answer::Tree)
    }

    fn assume_role(&self, tree: &Value) -> Result<Value, AwsError> {
        let role = parameter(tree, "RoleArn")?;
        let session = parameter(tree, "RoleSessionName")?;
        let name = role.rsplit('/').next().unwrap_or(role);
        Ok(json!({
            "AssumedRoleUser": {
                "AssumedRoleId": format!("{USER_ID}:{session}"),
                "Arn": format!("arn:aws:sts::{}:assumed-role/{name}/{session}", self.account_id),
            },
            "Credentials": {
                "AccessKeyId": "ASIASANDBOXSANDBOX00",
                "SecretAccessKey": "sandbox-secret-access-key",
                "SessionToken": "sandbox-session-token",
                "Expiration": EXPIRATION,
            },
        }))
    }

    fn caller(&self) -> Value {
        json!({
            "UserId": USER_ID,
            "Account": self.account_id,
            "Arn": format!("arn:aws:iam::{}:user/sandbox", self.account_id),
        })
    }
}

fn parameter<'a>(tree: &'a Value, name: &str) -> Result<&'a str, AwsError> {
    let missing = || AwsError::new(400, "ValidationError", format!("the parameter {name} is required"));
    tree[name].as_str().filter(|value| !value.is_empty()).ok_or_else(missing)
}
