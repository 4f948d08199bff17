"""What can be wrong with an implementation: a closed list of causes, each in the words in which a failure names it."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """A probable cause; its value is what reports call it."""

    HANGS = "hangs"
    NOT_AWAITED = "not-awaited"
    WRONG_LOOP = "wrong-loop"
    CRASHED = "crashed"
    BLOCKS = "blocks"
    DOES_NOT_BLOCK = "does-not-block"
    SPINS = "spins"
    ONE_BY_ONE = "one-by-one"
    STARTED_TOGETHER = "started-together"
    LIMITED = "limited"
    TOO_MANY = "too-many"
    IN_PIECES = "in-pieces"
    THREADS = "threads"
    TOO_FAST = "too-fast"
    TOO_SLOW = "too-slow"
    ORDER = "order"
    SHARED_STATE = "shared-state"
    LOST_CONTEXT = "lost-context"
    FALSE_REPORT = "false-report"
    AFTER_ANSWER = "after-answer"
    RUNS_ON = "runs-on"
    UNCANCELLABLE = "uncancellable"
    LEAK = "leak"
    CLIENT_PER_REQUEST = "client-per-request"
    NO_DEADLINE = "no-deadline"
    WRONG_CALL = "wrong-call"
    PROXIED = "proxied"
    SWALLOWED = "swallowed"
    WRONG_ERROR = "wrong-error"
    UNCHECKED = "unchecked"
    ANY_METHOD = "any-method"
    WRONG_ANSWER = "wrong-answer"
    TELLS_SECRETS = "tells-secrets"
    HELD_BACK = "held-back"
    GOES_ON = "goes-on"
    UNLIMITED = "unlimited"
    UNBOUNDED = "unbounded"
    OUTRUNS = "outruns-its-reader"
    FALSE_DECLARATION = "false-declaration"
    OWN_DOING = "own-doing"
    WAITS_FOR_WORK = "waits-for-work"
    LOST = "lost"
    UNSEEN = "unseen"
    NO_BOUND = "no-bound"
    CUT_SHORT = "cut-short"
    LINGERS = "lingers"
    ENDS_THE_TALK = "ends-the-talk"
    SAME_PROCESS = "same-process"
    BROKEN_POOL = "broken-pool"
    FORKED = "forked"
    THREAD_ROOM = "thread-room"
    IDLE_TIME = "idle-time"
    UNWRITTEN = "unwritten"


@dataclass(frozen=True, slots=True)
class Words:
    """How a cause is said: what is probably so, and the cure; names in braces are a stack's own (see `terms`)."""

    cause: str
    cure: str


WORDS: dict[Cause, Words] = {
    Cause.HANGS: Words(
        "it hangs: something is awaited that never comes",
        "look at where it stands, and put a deadline around the wait ({deadline})",
    ),
    Cause.NOT_AWAITED: Words(
        "a coroutine is used where its result was meant: an await is missing",
        "write await before the call that made it; that may be another line than the one where it was noticed",
    ),
    Cause.WRONG_LOOP: Words(
        "an event loop's functions are called where it does not run: asyncio's work neither under trio nor in a thread",
        "use {sleep} and its like, which work on the loop that runs; in a thread there is none",
    ),
    Cause.CRASHED: Words("an error that nobody foresaw", "the last lines of the server's log say which and where"),
    Cause.BLOCKS: Words(
        "a blocking call, such as time.sleep, or long work on the CPU holds the event loop",
        "await instead ({sleep}, {client}), or move the call to a thread ({thread})",
    ),
    Cause.SPINS: Words(
        "it asks again and again whether it may go on, without a pause: that keeps a processor busy, though the loop goes round",
        "await the event itself, or the whole wait at once ({sleep})",
    ),
    Cause.DOES_NOT_BLOCK: Words(
        "the wait does not hold the event loop: it is awaited, or a thread does it; here it must block, to show what that does",
        "call time.sleep in the async handler itself",
    ),
    Cause.ONE_BY_ONE: Words(
        "each starts only when the one before it has ended: they are awaited one by one, or a lock lets one in at a time",
        "start all before waiting for the first ({together}), and give a limit as many places as are allowed",
    ),
    Cause.STARTED_TOGETHER: Words(
        "they are started together; here each has to wait for the one before it", "await each before the next is started"
    ),
    Cause.LIMITED: Words(
        "only some of them wait at once, though the event loop stayed free: a lock, a semaphore, a pool or a limit holds the "
        "others back, or they are started late",
        "make the limit as wide as agreed, or remove it where none is; of one request, start all before waiting for the first "
        "({together})",
    ),
    Cause.THREADS: Words(
        "the wait is in the wrong place: /threaded waits in a worker thread, and nothing else does, since threads are few",
        "where nothing blocks, use an async def, which awaits ({sleep}); use {thread} only for a call that blocks",
    ),
    Cause.TOO_FAST: Words(
        "it answers without having waited as long as it was asked to: the wait is left out, shortened, or not awaited",
        "await the whole wait before the answer",
    ),
    Cause.TOO_SLOW: Words(
        "it waits longer than it was asked to, though nothing holds the event loop", "wait as long as asked, and once"
    ),
    Cause.ORDER: Words(
        "the results stand in another order than the calls, such as that of finishing", "keep the order of the calls: {together}"
    ),
    Cause.SHARED_STATE: Words(
        "requests share a value that each should have for itself: a global, a default argument, or a result kept from before",
        "keep what belongs to a request in local variables, or in a ContextVar, of which each task has its own",
    ),
    Cause.FALSE_REPORT: Words(
        "what it says of itself is not what was seen from outside: elapsed, Server-Timing, a state or the console is made up, "
        "missing, or about another moment",
        "measure around the real wait, with timing.operation and timing.elapsed, and say that something has ended when it has",
    ),
    Cause.AFTER_ANSWER: Words(
        "work goes on after the answer: a task was started that nobody waits for", "await it before answering: {together}"
    ),
    Cause.LEAK: Words(
        "something is left behind by each request or at the end: a task, a thread, a process, a connection or a file",
        "open it in a with block, a task in {group}, so that it is closed however the block ends; what nobody can cancel, a "
        "thread or a worker process, needs an end of its own",
    ),
    Cause.CLIENT_PER_REQUEST: Words(
        "a connection is opened for each request, by a client of its own or because the one client's pool keeps too few",
        "open one {client} in the lifespan, use it for all, and let it keep what it has opened",
    ),
    Cause.NO_DEADLINE: Words(
        "no deadline stands around the whole of it, or another one than was asked for or set",
        "put {deadline} around all of it, with the waiting for a place, for as long as was asked for or set; in a stream, around "
        "each wait, with what is left of it. A client's timeout alone starts anew with every read",
    ),
    Cause.WRONG_CALL: Words(
        "the service was not called as agreed: too often, not at all, too early, or with something else than it should carry",
        "make each call once, when what it needs has arrived, with the body and the headers that shared.lesson.upstreams gives",
    ),
    Cause.PROXIED: Words(
        "the client reads the environment, and takes the proxy that it finds there",
        "let {client} read no proxy from the environment: to a service beside the server there is none, and it would see the key",
    ),
    Cause.SWALLOWED: Words(
        "a failure is taken for success: an except clause or a default hides it",
        "let it rise: the error hook answers it; a stream that has begun tells it as an event, and work after the answer enters "
        "it with Jobs.failed",
    ),
    Cause.WRONG_ERROR: Words(
        "a failure is answered, or logged, otherwise than the contract says",
        "raise the problem that shared.lesson.problems has for it, and catch what is narrower first; the error hook answers it, "
        "with its headers, and logs what nobody foresaw once, with its traceback",
    ),
    Cause.UNCHECKED: Words(
        "a parameter is not checked before it is used, or not in all, or a default takes the place of one that must be given",
        "check it as this stack does, against the limits of shared.lesson.limits",
    ),
    Cause.ANY_METHOD: Words(
        "a path answers a method that the contract does not give it",
        "name the one method of the contract where the route is set: clients and proxies may repeat a GET, or keep its answer",
    ),
    Cause.WRONG_ANSWER: Words(
        "the answer is not the contract's: another status, shape, value or media type",
        "answer with what shared.lesson.shapes makes of what really came, as it came",
    ),
    Cause.TELLS_SECRETS: Words(
        "something private is shown in an answer or in the log: a key, a query, a traceback",
        "log the error's kind and place, and answer in the project's words",
    ),
    Cause.HELD_BACK: Words(
        "what is there to be sent waits for what comes after it: it is collected, here or on its way, compressed, or asked for "
        "too late",
        "send each piece as soon as it is there, and ask for the next only then; the headers of a stream (HEADERS of "
        "shared.lesson.events) tell proxies not to hold it back",
    ),
    Cause.GOES_ON: Words(
        "the client has left, and the work for it goes on: nobody tells it, or it does not listen",
        "let the cancellation through ({leaving}), or watch for the leaving beside the work and cancel that; close each call in "
        "a with block",
    ),
    Cause.UNLIMITED: Words(
        "nothing limits how many calls are made at once, or something limits them to more than agreed",
        "give the client's pool ({pool}) the limit MAX_CALLS of shared.lesson.upstreams",
    ),
    Cause.UNBOUNDED: Words(
        "an answer is read however long it is, so that one that never ends fills the memory",
        "hand each piece to upstreams.Content as it comes, which stops at its limit",
    ),
    Cause.RUNS_ON: Words(
        "what nobody waits for any more runs on, to its end",
        "await it where it is waited for, without a shield, or start it in {group}, which breaks off what is in it when it ends "
        "early",
    ),
    Cause.UNCANCELLABLE: Words(
        "a cancellation is caught and not passed on, so that what was to end there goes on with what comes next",
        "let it through: no except clause around an await may keep it; one that has something to put in order raises it again",
    ),
    Cause.LOST_CONTEXT: Words(
        "what belongs to the request did not go along: a task or a thread was started without its context",
        "keep it in a ContextVar, start tasks without a context of their own, and threads with {thread}: these take it along",
    ),
    Cause.TOO_MANY: Words(
        "more goes on at once than is allowed: nothing holds it back, or a limit that is too wide, or one for each task",
        "put {limiter} around each call, one for all of them, with as many places as are allowed",
    ),
    Cause.IN_PIECES: Words(
        "they are taken in pieces: all of one have to end before the next begins, so that places stay empty beside a slow one",
        "begin the next whenever one has ended: where each waits for a place of its own ({limiter}), all can be started at once",
    ),
    Cause.OUTRUNS: Words(
        "what a reader has not yet taken is produced all the same, and kept in memory, however much it is",
        "let the producer wait for the reader: await each write, and give a queue between them a small size",
    ),
    Cause.FALSE_DECLARATION: Words(
        "the variant's own statement of how its stack behaves is not what that does",
        "state what was seen; it is a fact about the stack, and no shame",
    ),
    Cause.OWN_DOING: Words(
        "what is stated of the stack is the doing of the variant's own code: without that, the same stack behaves otherwise",
        "mend the variant; where a switch of the stack makes the difference, state in BY_DEFAULT what it does without",
    ),
    Cause.WAITS_FOR_WORK: Words(
        "the answer waits for the work that was to go on after it", "start the work in {holder}, and answer 202 at once"
    ),
    Cause.LOST: Words(
        "work that was accepted is lost, and nobody is told: nothing holds it, waits for it, or says that it was broken off",
        "start it in {holder}; there, wait for it when the server stops, and log what has to be broken off",
    ),
    Cause.UNSEEN: Words(
        "a failure after the answer is seen by nobody: it is neither kept nor logged, or it takes other work with it",
        "catch it around the work, log it once, and enter it with Jobs.failed, where one can ask for it",
    ),
    Cause.NO_BOUND: Words(
        "work is accepted, or remembered, without a bound: enough of it fills the memory",
        "ask Jobs.begin for a place before the work is started, with MAX_RUNNING places, and keep MAX_KEPT of those that ended",
    ),
    Cause.CUT_SHORT: Words(
        "the server stops before what is in flight has had its time to end: it does not wait, or not long enough",
        "tell the server how long to wait ({stopping}); close in the lifespan what others need only after they have ended; have "
        "worker processes ignore Ctrl-C (SIGINT), which is the server's",
    ),
    Cause.LINGERS: Words(
        "the server does not stop in its time: it waits for something without a limit, or longer than agreed, or takes on more",
        "let the server take on nobody new from the signal on, tell it how long to wait ({stopping}), break the work in the "
        "background off after GRACE, let cancellation through, and end by force what cannot be cancelled, such as a write to a "
        "client that reads nothing",
    ),
    Cause.ENDS_THE_TALK: Words(
        "one message that cannot be followed, or one task that fails, ends the whole conversation",
        "catch it where the message is read, or where the task is worked on, tell it to the client, and go on",
    ),
    Cause.SAME_PROCESS: Words(
        "the work on the CPU is done by the server's own process, where of all threads that run Python only one has its turn",
        "give it to a worker process: {process}",
    ),
    Cause.BROKEN_POOL: Words(
        "a worker process has died, and nothing takes its place: a pool that has lost one takes no more work",
        "open a new pool when the old one says that it is broken ({process})",
    ),
    Cause.FORKED: Words(
        "a worker process is a fork of the server: it holds the server's sockets, so that what that closes stays open; it has "
        "its signal handlers, so that a signal to the worker may stop the server; and it may wait for ever for a lock that "
        "another thread held at that moment",
        "start it as a new program ({process}): a fork is what multiprocessing does by itself on Linux before Python 3.14",
    ),
    Cause.THREAD_ROOM: Words(
        "there are other worker threads than agreed: the stack's default, the limit of another pool, or threads of their own",
        "set their number once, in the lifespan ({threads}), and take each thread from there ({pooled})",
    ),
    Cause.IDLE_TIME: Words(
        "an idle connection is closed sooner or later than agreed: after the server's default, or another number of seconds",
        "give the server KEEP_ALIVE of shared.lesson.command ({idle})",
    ),
    Cause.UNWRITTEN: Words(
        "this is an exercise that is not written yet; nothing is broken",
        "write what its docstring says; nox -s exercise shows one step after another",
    ),
}
