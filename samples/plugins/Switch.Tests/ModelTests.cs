using NicHost.Contracts.Nics;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

/// <summary>Random networks and traffic against a few lines that say what a switch is.</summary>
public sealed class ModelTests
{
    [Fact]
    public void Any_traffic_reaches_whom_the_model_says()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            using var bench = new Bench();
            Network network = new(bench, random);
            for (var step = 0; step < 200; step++)
            {
                var (expected, actual) = network.Step();
                Assert.True(expected.SequenceEqual(actual), $"seed {seed}, round {round}, step {step}: to {string.Join(",", actual)}, not {string.Join(",", expected)}");
            }
        }
    }

    private sealed class Network
    {
        private const int Limit = 3;

        private readonly Random _random;
        private readonly Bench _bench;
        private readonly Nic[] _nics;
        private readonly int[] _vlans;
        private readonly bool[] _isolated;
        private readonly Dictionary<(int Vlan, MacAddress Address), int> _learned = [];

        public Network(Bench bench, Random random)
        {
            (_bench, _random) = (bench, random);
            _vlans = [.. Enumerable.Range(0, 6).Select(_ => random.Next(0, 3))];
            _isolated = [.. Enumerable.Range(0, 6).Select(_ => random.Next(3) == 0)];
            _nics = [.. Enumerable.Range(0, 6).Select(i => bench.Plug((byte)(i + 1), Options(i)))];
        }

        public (int[] Expected, int[] Actual) Step()
        {
            if (_random.Next(20) == 0)
            {
                _bench.Pass(TimeSpan.FromSeconds(400));
                _learned.Clear();
            }
            var sender = _random.Next(6);
            var (from, to) = (Pick(sender), Pick(_random.Next(6)));
            _nics[sender].Send(Frames.Of(to, from));
            return (Expected(sender, from, to), [.. Enumerable.Range(0, 6).Where(i => _nics[i].Taken.Count > 0)]);
        }

        private int[] Expected(int sender, MacAddress from, MacAddress to)
        {
            if (from.IsGroup) return [];
            var owner = Owner(_vlans[sender], from);
            if (owner is null)
            {
                if (_learned.Count(pair => pair.Value == sender) >= Limit - 1) return [];
                _learned[(_vlans[sender], from)] = sender;
            }
            else if (owner != sender) return [];
            int[] targets = Owner(_vlans[sender], to) is { } target && !to.IsGroup ? [target] : [.. Enumerable.Range(0, 6)];
            return [.. targets.Where(i => i != sender && _vlans[i] == _vlans[sender] && !(_isolated[i] && _isolated[sender]))];
        }

        private int? Owner(int vlan, MacAddress address)
        {
            for (var i = 0; i < 6; i++) if (_vlans[i] == vlan && _nics[i].Address == address) return i;
            return _learned.TryGetValue((vlan, address), out var learned) ? learned : null;
        }

        // Mostly the NIC's own address, sometimes another NIC's, one of a few nested guests, or all.
        private MacAddress Pick(int nic) => _random.Next(6) switch
        {
            0 => Frames.Address((byte)_random.Next(1, 7)),
            1 => Frames.Address((byte)_random.Next(100, 108)),
            2 => Frames.Broadcast,
            _ => _nics[nic].Address,
        };

        private string Options(int i) => $"\"maxAddresses\": {Limit}{(_vlans[i] > 0 ? $", \"vlan\": {_vlans[i]}" : "")}{(_isolated[i] ? ", \"isolated\": true" : "")}";
    }
}
