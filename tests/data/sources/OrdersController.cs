using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Mvc;

namespace Example.Shop
{
    /// <summary>Orders over HTTP.</summary>
    [ApiController]
    [Route("orders/{id:int?}")]
    public partial class OrdersController : ControllerBase, IDisposable
    {
        private const string Query = @"SELECT * FROM orders
            WHERE note LIKE '{0}' -- a "" quote and a } brace
            ORDER BY id";

        private static readonly string Template = """
            { "order": "{{id}}" }
            """;

        private readonly IStore _store;
        private int _served;

        public event EventHandler<OrderEventArgs>? Served;

        public OrdersController(IStore store)
        {
            _store = store ?? throw new ArgumentNullException(nameof(store));
        }

        public int Count { get; private set; } = 0;

        public bool Busy
        {
            get
            {
                lock (_store)
                {
                    return _served > 100;
                }
            }
            set => _served = value ? 101 : 0;
        }

        #region Actions

        [HttpGet]
        [ProducesResponseType(200)]
        public async Task<ActionResult<Order>> Get(int id, [FromQuery] string? sort = null)
        {
            var order = await _store.FindAsync(id);
            if (order is null)
            {
                return NotFound($"no order {id}{(sort is null ? "" : $" sorted by {sort}")}");
            }
            else if (order.Lines.Count == 0)
            {
                return NoContent();
            }

            Served?.Invoke(this, new OrderEventArgs(order));
            return order;
        }

        [HttpPost]
        public IActionResult Post(Order order)
        {
            var late = from line in order.Lines
                       where line.Due < DateTime.UtcNow
                       orderby line.Due descending
                       select new { line.Sku, line.Due };

            foreach (var line in late)
            {
                Console.WriteLine($"{line.Sku,-10}|{line.Due:yyyy-MM-dd}");
            }

            switch (order.State)
            {
                case State.Draft when order.Lines.Any(l => l.Count < 0):
                    return BadRequest();
                case State.Draft:
                case State.Sent:
                    _store.Save(order);
                    break;
                default:
                    throw new InvalidOperationException(Query);
            }

            var shown = order.State switch
            {
                State.Draft => "draft",
                State.Sent => "sent",
                _ => throw new ArgumentOutOfRangeException(nameof(order)),
            };
            return Ok(shown);
        }

        #endregion

        public void Dispose()
        {
            try
            {
                _store.Dispose();
            }
            catch (ObjectDisposedException e) when (e.ObjectName == nameof(IStore))
            {
                Count = 0;
            }
            finally
            {
                GC.SuppressFinalize(this);
            }
        }
    }

    public record OrderEventArgs(Order Order);

    public enum State
    {
        Draft,
        Sent = 4,
    }
}
