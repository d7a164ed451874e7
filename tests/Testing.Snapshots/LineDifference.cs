using System.Text;

namespace NicHost.Testing.Snapshots;

/// <summary>Two texts' difference by lines, each change with what stands around it and with the NIC that it belongs to.</summary>
internal static class LineDifference
{
    private const int Around = 2;

    public static string Render(string before, string after)
    {
        var lines = Compare(before.Split('\n'), after.Split('\n'));
        var text = new StringBuilder();
        var shown = -1;
        for (var i = 0; i < lines.Count; i++)
        {
            if (!IsNearChange(lines, i)) continue;
            // What was left out, and whose lines these are: the headline above, which is not indented.
            if (i > shown + 1)
            {
                var head = lines.FindLastIndex(i, i - shown, line => line.Text is [not ' ', ..]);
                text.Append(head >= 0 && head < i ? $"  {lines[head].Text}\n  ...\n" : "  ...\n");
            }
            text.Append(lines[i].Mark).Append(' ').Append(lines[i].Text).Append('\n');
            shown = i;
        }
        if (shown < lines.Count - 1) text.Append("  ...\n");
        return text.ToString();
    }

    private static bool IsNearChange(List<(char Mark, string Text)> lines, int at)
    {
        for (var i = Math.Max(0, at - Around); i <= Math.Min(lines.Count - 1, at + Around); i++)
        {
            if (lines[i].Mark != ' ') return true;
        }
        return false;
    }

    // The longest common subsequence, by its table, of what lies between the equal beginning and the equal end.
    private static List<(char Mark, string Text)> Compare(string[] before, string[] after)
    {
        var head = 0;
        while (head < Math.Min(before.Length, after.Length) && before[head] == after[head]) head++;
        var tail = 0;
        while (tail < Math.Min(before.Length, after.Length) - head && before[^(tail + 1)] == after[^(tail + 1)]) tail++;

        List<(char, string)> lines = [.. before[..head].Select(line => (' ', line))];
        lines.AddRange(Middle(before[head..^tail], after[head..^tail]));
        lines.AddRange(before[^tail..].Select(line => (' ', line)));
        return lines;
    }

    private static IEnumerable<(char Mark, string Text)> Middle(string[] before, string[] after)
    {
        var common = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
                common[i, j] = before[i] == after[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        }
        var (b, a) = (0, 0);
        while (b < before.Length || a < after.Length)
        {
            if (b < before.Length && a < after.Length && before[b] == after[a]) (b, a) = (b + 1, a + 1);
            else if (a == after.Length || (b < before.Length && common[b + 1, a] >= common[b, a + 1]))
            {
                yield return ('-', before[b++]);
                continue;
            }
            else
            {
                yield return ('+', after[a++]);
                continue;
            }
            yield return (' ', before[b - 1]);
        }
    }
}
