//! Where posters are drawn: a few threads of their own beside the async ones, with a short queue before them. What does not fit is refused
//! at once, and who goes away leaves the queue, so that drawing can never hold up a draw from a wheel.
//!
//! It is one thread fewer than there are cores (at least one), and on Linux each asks the system to run it only when nobody else would. The
//! threads are started with the first poster: a process that draws none has none.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::telemetry::meters::poster_queue;

/// How many jobs may wait for each thread. A JPEG takes some milliseconds, so the last of them waits for less than a client would.
const QUEUE_PER_THREAD: usize = 32;

/// How much lower than the process's the threads' priority is, and the lowest there is (`nice`).
#[cfg(target_os = "linux")]
const LOWER_BY: i32 = 10;
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// A job: what is left to do when its turn comes.
type Job = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    most: usize,
    next: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<(u64, Job)>,
    over: bool,
}

/// Why a job was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// Too many wait.
    #[error("too many posters are asked for at once")]
    Full,
    /// It panicked, or the pool is gone.
    #[error("the drawing broke off")]
    Broken,
}

impl Pool {
    /// A pool of this size for this machine.
    pub fn for_this_machine() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.saturating_sub(1).max(1);
        Self::start(threads, threads * QUEUE_PER_THREAD)
    }

    /// So many threads, before which so many jobs may wait.
    pub fn start(threads: usize, most: usize) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            most,
            next: AtomicU64::new(0),
        });
        for number in 0..threads.max(1) {
            let shared = shared.clone();
            let started = thread::Builder::new()
                .name(format!("poster-{number}"))
                .spawn(move || shared.work());
            if let Err(error) = started {
                tracing::error!(%error, "a thread for posters did not start");
            }
        }
        Self { shared }
    }

    /// Does a job on one of the threads. Dropped before its turn it is never done, and its place in the queue is free.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let (done, answer) = oneshot::channel();
        let job = Box::new(move || {
            let _ = done.send(job());
        });
        let _place = self.enter(job)?;
        answer.await.map_err(|_| NotDone::Broken)
    }

    fn enter(&self, job: Job) -> Result<Place<'_>, NotDone> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let mut state = self.shared.state.lock();
        if state.queue.len() >= self.shared.most {
            return Err(NotDone::Full);
        }
        state.queue.push_back((number, job));
        poster_queue(state.queue.len());
        drop(state);
        self.shared.work.notify_one();
        Ok(Place {
            shared: &self.shared,
            number,
        })
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.shared.state.lock().queue.len()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.over = true;
        state.queue.clear();
        drop(state);
        self.shared.work.notify_all();
    }
}

/// A place in the queue, given up when it is dropped.
struct Place<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        let at = state
            .queue
            .iter()
            .position(|(other, _)| *other == self.number);
        if let Some(at) = at {
            let left = state.queue.remove(at);
            poster_queue(state.queue.len());
            drop(state);
            // What a job holds is given up without the lock.
            drop(left);
        }
    }
}

impl Shared {
    fn work(&self) {
        step_back();
        while let Some(job) = self.next_job() {
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("drawing a poster panicked");
            }
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            if state.over {
                return None;
            }
            if let Some((_, job)) = state.queue.pop_front() {
                poster_queue(state.queue.len());
                return Some(job);
            }
            self.work.wait(&mut state);
        }
    }
}

/// Lets all other threads go first, where the system can be asked for that.
///
/// A lower priority alone is not enough: a thread that is woken waits for the running one's slice to end, some 3 ms, however low that one's
/// priority is. Whoever runs with `SCHED_IDLE` gives way at once (sched(7)); docs/BENCHMARKS.md has what it is worth. The priority stays as a
/// second best for systems that refuse it.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::unix::{set_thread_priority_and_policy, thread_native_id};
        use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};

        // On Linux a "process" of this call is a thread, and 0 the one that calls.
        let own = rustix::process::getpriority_process(None).unwrap_or(0);
        let lower = (own + LOWER_BY).min(LOWEST);
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let stepped = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
        if let Err(error) = stepped {
            tracing::debug!(?error, "a thread for posters keeps its policy");
        }
        if let Err(error) = rustix::process::setpriority_process(None, lower) {
            tracing::debug!(%error, "a thread for posters keeps its priority");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    /// Waits until `what` holds.
    async fn until(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !what() {
            assert!(Instant::now() < end, "it never came to that");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// A pool of one thread that is busy until something is sent.
    async fn busy(most: usize) -> (Arc<Pool>, mpsc::Sender<()>) {
        let pool = Arc::new(Pool::start(1, most));
        let (end, ended) = mpsc::channel::<()>();
        let (began, has_begun) = oneshot::channel();
        let runs = pool.clone();
        tokio::spawn(async move {
            runs.run(move || {
                let _ = began.send(());
                let _ = ended.recv();
            })
            .await
        });
        has_begun.await.unwrap();
        (pool, end)
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused_and_what_fits_is_done() {
        let (pool, end) = busy(2).await;
        let run = |number: u32| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.run(move || number).await })
        };
        let (one, two) = (run(1), run(2));
        until(|| pool.waiting() == 2).await;
        assert_eq!(pool.run(|| 3).await, Err(NotDone::Full));
        end.send(()).unwrap();
        assert_eq!(one.await.unwrap(), Ok(1));
        assert_eq!(two.await.unwrap(), Ok(2));
        assert_eq!(pool.run(|| 3).await, Ok(3));
    }

    #[tokio::test]
    async fn who_goes_away_frees_the_place_and_is_not_drawn_for() {
        let (pool, end) = busy(1).await;
        let (told, tell) = mpsc::channel();
        let runs = pool.clone();
        let gone = tokio::spawn(async move { runs.run(move || told.send(()).is_ok()).await });
        until(|| pool.waiting() == 1).await;
        assert_eq!(pool.run(|| ()).await, Err(NotDone::Full));
        gone.abort();
        until(|| pool.waiting() == 0).await;
        let runs = pool.clone();
        let next = tokio::spawn(async move { runs.run(|| 7).await });
        until(|| pool.waiting() == 1).await;
        end.send(()).unwrap();
        assert_eq!(next.await.unwrap(), Ok(7));
        assert!(tell.recv().is_err(), "the job was dropped, not done");
    }

    #[tokio::test]
    async fn a_job_that_panics_takes_nobody_along() {
        let pool = Pool::start(1, 4);
        let broken: Result<(), NotDone> = pool.run(|| panic!("a test's")).await;
        assert_eq!(broken, Err(NotDone::Broken));
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_let_others_go_first() {
        use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};

        let pool = Pool::start(1, 1);
        let of = || rustix::process::getpriority_process(None).unwrap();
        let (mine, theirs) = (of(), pool.run(of).await.unwrap());
        assert!(theirs > mine || theirs == LOWEST, "{theirs} and {mine}");
        let policy = pool
            .run(thread_priority::unix::thread_schedule_policy)
            .await;
        let idle = NormalThreadSchedulePolicy::Idle;
        assert_eq!(policy, Ok(Ok(ThreadSchedulePolicy::Normal(idle))));
    }
}
