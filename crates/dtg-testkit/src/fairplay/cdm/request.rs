//! One request of the software system.

use fairplay_keys::{
    Accepted, Certificate, Ckc, ContentId, Intent, KeyError, KeyRequest, KeyUri, PersistableKey, Persistence,
    Spc, SystemFault,
};

use super::{Answer, Step, TestCdm};
use crate::fairplay::Exchange;

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct TestRequest {
    pub(super) cdm: TestCdm,
    /// Its number among all requests.
    pub(super) number: usize,
    pub(super) key_uri: KeyUri,
    pub(super) intent: Intent,
    pub(super) persistence: Persistence,
    /// The last SPC: its content identifier, and what opens its CKC.
    pub(super) asked: Option<(ContentId, Exchange)>,
    pub(super) is_answered: bool,
}

impl TestRequest {
    fn answered(&mut self, answer: Answer) {
        self.is_answered = true;
        self.cdm.record(self.number, answer);
    }

    /// Records how the request ended, and says so.
    fn ended<T>(&mut self, ended: Result<T, SystemFault>, answer: Answer) -> Result<T, KeyError> {
        match &ended {
            Ok(_) => self.answered(answer),
            Err(fault) => self.answered(Answer::Refused(fault.clone())),
        }
        ended.map_err(|fault| KeyError::new(fault).of(&self.key_uri))
    }
}

impl KeyRequest for TestRequest {
    fn key_uri(&self) -> &KeyUri {
        &self.key_uri
    }

    fn persistence(&self) -> Persistence {
        self.persistence
    }

    fn spc(&mut self, certificate: &Certificate, content_id: &ContentId) -> Result<Spc, KeyError> {
        let made = self.cdm.fault(Step::Spc).and_then(|()| self.cdm.spc(certificate, content_id, None));
        let (spc, exchange) = made.map_err(|fault| KeyError::new(fault).of(&self.key_uri))?;
        self.asked = Some((content_id.clone(), exchange));
        Ok(spc)
    }

    fn accept(mut self: Box<Self>, ckc: &Ckc) -> Result<Accepted, KeyError> {
        let asked = self.asked.take().ok_or(SystemFault::Ckc);
        let accepted = self.cdm.fault(Step::Accept).and(asked).and_then(|(content_id, exchange)| {
            let license = exchange.open(ckc.expose()).map_err(|_| SystemFault::Ckc)?;
            self.cdm.take(&self, &content_id, &license)
        });
        self.ended(accepted, Answer::License)
    }

    fn answer_stored(mut self: Box<Self>, key: &PersistableKey) -> Result<(), KeyError> {
        let loaded = self.cdm.fault(Step::AnswerStored).and_then(|()| self.cdm.load(&self.key_uri, key));
        let update = self.ended(loaded, Answer::Stored)?;
        if let Some(update) = update {
            self.cdm.updated(update);
        }
        Ok(())
    }

    fn fail(mut self: Box<Self>, error: &KeyError) {
        self.answered(Answer::Failed(error.to_string()));
    }
}

impl Drop for TestRequest {
    fn drop(&mut self) {
        if !self.is_answered {
            self.answered(Answer::Failed(SystemFault::Abandoned.to_string()));
        }
    }
}
