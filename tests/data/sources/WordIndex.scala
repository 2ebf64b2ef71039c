package org.example.search

import scala.collection.mutable
import scala.util.{Failure, Success, Try}

/** A place in a document. */
final case class Posting(document: Int, position: Int)

trait Tokenizer {
  def tokens(text: String): Iterator[String]
  def isStopWord(word: String): Boolean = WordIndex.stopWords.contains(word)
}

/** Lower-case words of letters and digits. */
class WordTokenizer(minLength: Int = 2) extends Tokenizer {
  private val pattern = "[\\p{L}\\p{N}]+".r

  override def tokens(text: String): Iterator[String] = {
    val words = pattern.findAllIn(text.toLowerCase)
    words.filter(word => word.length >= minLength && !isStopWord(word))
  }
}

class WordIndex(tokenizer: Tokenizer) {
  private val postings = mutable.Map.empty[String, mutable.ArrayBuffer[Posting]]
  private var documents = 0

  def add(text: String): Int = {
    val document = documents
    documents += 1
    tokenizer.tokens(text).zipWithIndex.foreach { case (word, position) =>
      val places = postings.getOrElseUpdate(word, mutable.ArrayBuffer.empty)
      places += Posting(document, position)
    }
    document
  }

  def search(query: String): Seq[Int] = {
    val words = tokenizer.tokens(query).toList
    words match {
      case Nil =>
        Seq.empty
      case single :: Nil =>
        documentsOf(single).toSeq.sorted
      case first :: rest =>
        val start = documentsOf(first)
        val common = rest.foldLeft(start) { (found, word) =>
          found intersect documentsOf(word)
        }
        common.toSeq.sorted
    }
  }

  def nearest(a: String, b: String): Option[Int] = {
    val distances = for {
      one <- postings.getOrElse(a, Nil)
      other <- postings.getOrElse(b, Nil)
      if one.document == other.document
    } yield math.abs(one.position - other.position)

    if (distances.isEmpty) {
      None
    } else {
      Some(distances.min)
    }
  }

  private def documentsOf(word: String): Set[Int] =
    postings.get(word).map(_.map(_.document).toSet).getOrElse(Set.empty)
}

object WordIndex {
  val stopWords = Set("a", "an", "the", "of")

  val help = """
    search { words }
      finds documents
  """

  def load(paths: Seq[String]): WordIndex = {
    val index = new WordIndex(new WordTokenizer())
    var failed = 0
    for (path <- paths) {
      Try(scala.io.Source.fromFile(path).mkString) match {
        case Success(text) =>
          index.add(text)
        case Failure(error) =>
          failed += 1
          println(s"cannot read $path: ${error.getMessage}")
      }
    }

    if (failed > 0) println(s"$failed files were left out")
    index
  }

  def retry[A](times: Int)(body: => A): A = {
    try {
      body
    } catch {
      case _: RuntimeException if times > 1 =>
        Thread.sleep(100)
        retry(times - 1)(body)
    } finally {
      println("tried")
    }
  }
}
