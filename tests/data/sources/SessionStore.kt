package org.example.session

import java.time.Clock
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap

/** Where sessions are kept. */
interface SessionBackend {
    fun load(id: String): Session?
    fun save(session: Session)
    fun remove(id: String)
}

data class Session(val id: String, val user: String, val expires: Instant)

enum class Outcome { FOUND, EXPIRED, UNKNOWN }

/**
 * Keeps sessions in memory, in front of a slower backend { such as a database }.
 */
class SessionStore(
    private val backend: SessionBackend,
    private val clock: Clock = Clock.systemUTC(),
) {
    private val cache = ConcurrentHashMap<String, Session>()
    private var hits = 0

    var ttl: Duration = Duration.ofMinutes(30)
        set(value) {
            require(!value.isNegative) { "negative time to live: $value" }
            field = value
        }

    init {
        val started = clock.instant()
        println("session store started at $started")
    }

    fun find(id: String): Pair<Outcome, Session?> {
        val session = cache[id] ?: backend.load(id)
        if (session == null) {
            return Outcome.UNKNOWN to null
        } else if (session.expires.isBefore(clock.instant())) {
            cache.remove(id)
            backend.remove(id)
            return Outcome.EXPIRED to null
        } else {
            hits += 1
        }

        cache.putIfAbsent(id, session)
        return Outcome.FOUND to session
    }

    fun open(user: String): Session {
        val session = Session(newId(), user, clock.instant().plus(ttl))
        try {
            backend.save(session)
        } catch (error: IllegalStateException) {
            println("cannot save: ${error.message}")
            throw error
        } finally {
            cache[session.id] = session
        }
        return session
    }

    fun describe(outcome: Outcome): String {
        return when (outcome) {
            Outcome.FOUND -> "welcome back"
            Outcome.EXPIRED -> {
                val minutes = ttl.toMinutes()
                "your session of $minutes minutes is over"
            }
            else -> "please log in"
        }
    }

    fun sweep(): Int {
        val now = clock.instant()
        var removed = 0
        for ((id, session) in cache) {
            if (session.expires.isAfter(now)) continue
            cache.remove(id)
            removed++
        }

        cache.values.groupBy { it.user }.forEach { (user, sessions) ->
            val oldest = sessions.minOf { it.expires }
            println("$user has ${sessions.size} sessions, the oldest until $oldest")
        }
        return removed
    }

    companion object {
        private const val ID_LENGTH = 24

        private fun newId(): String = buildString {
            repeat(ID_LENGTH) {
                append(('a'..'z').random())
            }
        }
    }
}

val HELP = """
    if (session) {
        the session is open
""".trimIndent()

fun SessionStore.isOpen(id: String): Boolean = find(id).first == Outcome.FOUND
