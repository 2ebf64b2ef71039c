{-# LANGUAGE LambdaCase #-}
{-# LANGUAGE OverloadedStrings #-}

-- | Stock of a small shop: what is there, what was sold, what to order.
module Shop.Inventory
  ( Inventory
  , Item (..)
  , empty
  , receive
  , sell
  , report
  ) where

import Control.Monad (forM_, unless, when)
import Data.List (sortOn)
import qualified Data.Map.Strict as Map
import qualified Data.Text as Text
import Data.Text (Text)

-- | Something on the shelf.
data Item = Item
  { itemName :: Text
  , itemCount :: !Int
  , itemPrice :: Rational
  }
  deriving (Eq, Show)

data Problem
  = Unknown Text
  | TooFew Text Int
  deriving (Show)

newtype Inventory = Inventory (Map.Map Text Item)

class Priced a where
  price :: a -> Rational
  price _ = 0
  describe :: a -> Text

instance Priced Item where
  price item = itemPrice item * fromIntegral (itemCount item)
  describe item =
    Text.concat [itemName item, ": ", Text.pack (show (itemCount item))]

-- | Nothing at all.
empty :: Inventory
empty = Inventory Map.empty

-- | Adds what was delivered.
receive :: Item -> Inventory -> Inventory
receive item (Inventory items) = Inventory (Map.insertWith merge (itemName item) item items)
  where
    merge new old =
      old
        { itemCount = itemCount old + itemCount new
        , itemPrice = itemPrice new
        }

-- | Takes items off the shelf; says what is wrong where there are too few.
sell :: Text -> Int -> Inventory -> Either Problem Inventory
sell name count (Inventory items) =
  case Map.lookup name items of
    Nothing -> Left (Unknown name)
    Just item
      | itemCount item < count -> Left (TooFew name (itemCount item))
      | otherwise -> Right (Inventory (Map.insert name (taken item) items))
  where
    taken item = item {itemCount = left item}
    left item = itemCount item - count

explain :: Problem -> Text
explain = \case
  Unknown name -> "no such item: " <> name
  TooFew name left ->
    Text.unwords ["only", Text.pack (show left), "of", name]

score :: Int -> Int
score 0 = 0
score count
  | count > 100 = 3
  | count > 10 = 2
  | otherwise = base
  where
    base = 1

-- | Prints the stock, the most valuable items first.
report :: Inventory -> IO ()
report (Inventory items) = do
  let sorted = sortOn (negate . price) (Map.elems items)
      total = sum (map price sorted)
  putStrLn "Stock"
  forM_ sorted $ \item -> do
    putStrLn (Text.unpack (describe item))
    when (score (itemCount item) < 2) $ do
      putStrLn "  order more"
      putStrLn "  and tell the supplier"
  unless (total > 0) $
    putStrLn "nothing of value"
  if null sorted
    then putStrLn "empty"
    else print (fromRational total :: Double)
