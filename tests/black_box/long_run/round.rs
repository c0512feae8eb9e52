//! One round: programs that write, an agent that follows them, and a service in some weather.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::kind::Kind;
use super::reading::{Judgement, Scene};
use super::weather::Weather;
use super::writing::{Program, SAVING};
use crate::agent_process::AgentProcess;
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// Where the programs write, what the flow's directory is, and whether its pattern is one name.
const PROGRAMS: [(&str, &str, bool); 3] =
    [("one", "one", true), ("two", "two", false), ("three-1", "three-*", true)];

/// The first line of each.
const BASES: [u64; 3] = [0, 10_000_000, 20_000_000];

/// Between two looks at the stream.
const PAUSE: Duration = Duration::from_millis(50);

/// What a round is to be.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) number: usize,
    pub(super) kind: Kind,
    pub(super) weather: Weather,
    pub(super) is_killed: bool,
    /// How long is written.
    pub(super) time: Duration,
}

/// What it was.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) rotations: u64,
    pub(super) kills: u64,
    pub(super) lines: Judgement,
}

/// The agent of a round, which is killed now and then.
struct Lives<'a> {
    shop: &'a Workshop,
    configuration: PathBuf,
    agent: Option<AgentProcess>,
    kills: u64,
    next_kill: Instant,
    /// The shortest that an agent lives.
    shortest: Duration,
    random: fastrand::Rng,
}

impl Plan {
    /// Whether nobody is killed and no answer gets lost.
    pub(super) fn is_quiet(&self) -> bool {
        !self.is_killed && !self.weather.loses_answers()
    }
}

impl Lives<'_> {
    /// Kills the agent, and starts another one after a while.
    fn kill(&mut self, scene: &Scene) {
        *scene.life.lock().unwrap() = None;
        scene.note("kill -9".to_owned());
        if let Some(agent) = self.agent.take() {
            agent.kill();
        }
        self.kills += 1;
        std::thread::sleep(Duration::from_millis(self.random.u64(..600)));
        self.start(scene);
    }

    fn start(&mut self, scene: &Scene) {
        self.agent = Some(self.shop.run(&self.configuration));
        *scene.life.lock().unwrap() = Some(Instant::now());
        let longest = if self.random.bool() { 800 } else { 5000 };
        self.next_kill = Instant::now() + self.shortest + Duration::from_millis(self.random.u64(..longest));
    }
}

/// Lives a round.
pub(super) fn live(plan: &Plan) -> Outcome {
    let shop = Workshop::new();
    let (scene, seed) = (Scene::new(&BASES), plan.number as u64);
    let (mut programs, mut flows) = (Vec::new(), Vec::<Value>::new());
    for (number, (directory, followed, is_exact)) in PROGRAMS.into_iter().enumerate() {
        let (log, pattern) = plan.kind.names(is_exact);
        let path = shop.log(directory).join(log);
        programs.push(Program::new(number, plan.kind, path, BASES[number], seed * 3 + number as u64));
        let more = json!({ "retryMaxBackoffMillis": 500, "aggregation": number != 1 });
        flows.push(shop.flow(&format!("{followed}/{pattern}"), more));
    }
    let mut reader = shop.reader();
    let random = fastrand::Rng::with_seed(seed);
    let configuration = shop.configure(&flows);
    // Long enough for a rotation that has to wait until its file is known.
    let shortest = if plan.kind.hides() { SAVING + Duration::from_secs(1) } else { Duration::ZERO };
    let next_kill = Instant::now();
    let mut lives = Lives { shop: &shop, configuration, agent: None, kills: 0, next_kill, shortest, random };
    lives.start(&scene);
    // What is rotated before the first start is left alone, so that has to come first.
    lives.agent.as_mut().unwrap().await_started();
    shop.set_faults(plan.weather.rules);
    let end = Instant::now() + plan.time;
    let rotations = std::thread::scope(|scope| {
        let scene = &scene;
        let work = |program: Program| scope.spawn(move || program.work(scene, plan.is_killed, end));
        let working: Vec<_> = programs.into_iter().map(work).collect();
        while Instant::now() < end {
            scene.take_in(reader.read_all());
            if plan.is_killed && Instant::now() > lives.next_kill {
                lives.kill(scene);
            }
            std::thread::sleep(PAUSE);
        }
        working.into_iter().map(|program| program.join().unwrap()).sum()
    });
    shop.set_faults(&[]);
    comes_true(PATIENCE, || {
        scene.take_in(reader.read_all());
        scene.is_all_there()
    });
    let said = lives.agent.take().unwrap().stop().stderr;
    scene.take_in(reader.read_all());
    let lines = scene.judge();
    if !lines.missing.is_empty() || lines.mangled > 0 {
        println!("{plan:?}: missing {:?}\n{:#?}\n{said}", lines.missing, scene.history());
    }
    if plan.is_quiet() && !lines.repeated_for_no_reason.is_empty() {
        println!("{plan:?}: repeated {:?}\n{:#?}\n{said}", lines.repeated_for_no_reason, scene.history());
    }
    Outcome { rotations, kills: lives.kills, lines }
}
